/** `run --bundle`: a container that is described already. */
import type { RunOptions } from "../container/make.ts";
import type { Roots } from "../container/state.ts";
import { readSpec } from "../spec/mod.ts";
import { parsed } from "./grammar.ts";
import { parseName } from "./name.ts";
import type { Line, Wanted } from "./run.ts";
import { filterOf } from "./seccomp.ts";
import { UsageError } from "./usage_error.ts";

/** What can be said of a bundle's container beside what its config.json says. */
const OF_A_BUNDLE = new Set(
  ("bundle name rm interactive quiet timeout cidfile pidfile print-spec explain trace json")
    .split(" "),
);

/**
 * The container that a bundle's config.json asks for.
 *
 * @throws {UsageError} for flags that would change what it is
 */
export async function fromBundle(
  line: Line,
  directory: string,
  roots: Roots,
  id: string,
): Promise<Wanted> {
  if (line.operands.length > 0) {
    throw new UsageError(`--bundle runs what its config.json says, not "${line.operands[0]}"`);
  }
  for (const flag of line.given) {
    if (OF_A_BUNDLE.has(flag)) continue;
    throw new UsageError(
      `"--${flag}" is not for "--bundle": its config.json says what the container is, which runs ` +
        "in the foreground and is removed at its end",
    );
  }
  const { bundle, config } = openBundle(directory);
  const spec = await readSpec(config);
  const seccomp = spec.linux?.seccomp && await filterOf(spec.linux.seccomp);
  const path = spec.root?.path ?? "rootfs";
  const { name, cidfile, pidfile, timeout } = line.flags;
  const timeoutMs = timeout === undefined
    ? undefined
    : (await import("./spec_engine.ts")).timeoutOf(timeout);
  const options: RunOptions = {
    id,
    name: name === undefined ? id.slice(0, 12) : parsed("--name", name, parseName),
    named: name !== undefined,
    roots,
    root: { kind: "directory", path: path.startsWith("/") ? path : `${bundle}/${path}` },
    image: bundle,
    interactive: true,
    ...seccomp ? { seccomp } : {},
    ...timeoutMs === undefined ? {} : { timeoutMs },
    ...cidfile === undefined ? {} : { cidfile },
    ...pidfile === undefined ? {} : { pidfile },
  };
  for (const mount of spec.mounts ?? []) {
    const bound = mount.type === "bind" || mount.options?.some((option) => /^r?bind$/.test(option));
    if (bound && mount.source?.startsWith("/") === false) {
      mount.source = `${bundle}/${mount.source}`;
    }
  }
  return { spec, options };
}

function openBundle(directory: string): { bundle: string; config: string } {
  try {
    const bundle = Deno.realPathSync(directory);
    return { bundle, config: Deno.readTextFileSync(`${bundle}/config.json`) };
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UsageError(
      `--bundle: "${directory}" has no config.json; \`minictr spec\` prints one`,
      { cause },
    );
  }
}
