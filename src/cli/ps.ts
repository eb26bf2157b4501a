import { type CgroupHost, readCgroupHost } from "../cgroup/host.ts";
import { type Known, knownContainers, statusOf } from "../container/list.ts";
import { type Roots, rootsBelow } from "../container/mod.ts";
import { askedMounts } from "../container/mounts.ts";
import type { Endpoint } from "../network/mod.ts";
import type { Mount } from "../spec/mod.ts";
import { parsed, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { parseInterspersed } from "./interspersed.ts";
import { parseInteger } from "./number.ts";
import { listed, print } from "./output.ts";
import { passes } from "./ps_filter.ts";
import { PS } from "./ps_flags.ts";
import { type Candidate, CONTAINERS, rowOf } from "./ps_row.ts";

/** `minictr ps`: containers, in docker's columns. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands, help } = parseInterspersed(PS, args);
  if (help) {
    print(`${helpText(PS)}\n`);
    return 0;
  }
  if (operands.length > 0) throw wrongUse(PS, `"ps" takes no operand, not "${operands[0]}"`);
  const roots = rootsBelow(root);
  const all = knownContainers(roots);
  const leases = await leasesOf(roots, all);
  const newest = parsed("--last", flags.last ?? "-1", (text) => parseInteger(text, -1, 1e6));
  const last = flags.latest ? 1 : newest;
  const sized = flags.size || (flags.format?.includes(".Size") ?? false);
  const wantsAny = flags.all || last >= 0 ||
    flags.filter.some((text) => /^(status|exited)=/.test(text));
  const host = readCgroupHost();
  const candidates = all.map((known) => candidateOf(roots, known, { leases, sized, host }))
    .filter((candidate) => passes(flags.filter, candidate, { roots, all }))
    .filter(({ status }) => wantsAny || ["running", "paused", "restarting"].includes(status));
  const chosen = last >= 0 ? candidates.slice(0, last) : candidates;
  const rows = chosen.map((candidate) => rowOf(roots, candidate, flags["no-trunc"]));
  const listing = flags.size
    ? { ...CONTAINERS, columns: [...CONTAINERS.columns, "Size"] }
    : CONTAINERS;
  print(await listed(listing, rows, flags));
  return 0;
}

/** The containers' places on networks; none are looked for where none can be. */
async function leasesOf(roots: Roots, all: readonly Known[]): Promise<Map<string, Endpoint[]>> {
  if (!all.some(({ state }) => state?.networked)) return new Map();
  const { allLeases } = await import("../network/mod.ts");
  return Map.groupBy(allLeases(roots), ({ container }) => container);
}

function candidateOf(
  roots: Roots,
  known: Known,
  { leases, sized, host }: {
    leases: ReadonlyMap<string, Endpoint[]>;
    sized: boolean;
    host: CgroupHost;
  },
): Candidate {
  const endpoints = leases.get(known.id) ?? [];
  const { definition } = known;
  return {
    known,
    status: statusOf(roots, known, host),
    ports: endpoints.flatMap(({ ports }) => ports),
    networks: endpoints.length > 0
      ? endpoints.map(({ network }) => network)
      : definition?.network?.networks.map(({ name }) => name) ?? [],
    mounts: () => mountsOf(roots, known),
    size: () => sized ? sizeOf(known) : undefined,
  };
}

/** The mounts that the user asked for. */
function mountsOf(roots: Roots, { id, definition, state }: Known): Mount[] {
  const base = definition ? roots.data : state && roots.run;
  if (base === undefined) return [];
  try {
    const text = Deno.readTextFileSync(`${base}/containers/${id}/config.json`);
    return askedMounts(roots, id, JSON.parse(text));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return [];
    throw error;
  }
}

/** Bytes in the writable layer, and those of the root filesystem below where its store knows. */
function sizeOf({ definition, state }: Known): ReturnType<Candidate["size"]> {
  const root = definition?.root;
  const upper = root?.kind === "overlay" ? root.upper : state?.layer && `${state.layer}/upper`;
  if (upper === undefined) return undefined;
  return {
    own: bytesBelow(upper),
    below: root?.kind === "overlay" ? belowOf(root.lower) : undefined,
  };
}

function bytesBelow(directory: string): number {
  let sum = 0;
  try {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(directory)) {
      const path = `${directory}/${name}`;
      if (isDirectory) sum += bytesBelow(path);
      else if (isFile) sum += Deno.lstatSync(path).size;
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error; // Gone meanwhile, or deeper than a path can say.
  }
  return sum;
}

function belowOf(lower: readonly string[]): number | undefined {
  try {
    const meta = JSON.parse(Deno.readTextFileSync(`${lower[0]}/../meta.json`));
    return typeof meta.sizeBytes === "number" ? meta.sizeBytes : undefined;
  } catch {
    return undefined;
  }
}
