import { isTerminal } from "../container/console.ts";
import { CopyError } from "../container/copy_path.ts";
import { pick } from "../container/find.ts";
import { toContainer } from "../container/ids.ts";
import { knownContainers } from "../container/list.ts";
import { rootsBelow } from "../container/state.ts";
import { type View, viewOf } from "../container/view.ts";
import { type Found, tarStream, walk } from "../image/mod.ts";
import { say, writeAll } from "./cp.ts";
import { type Grammar, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { parseInterspersed } from "./interspersed.ts";
import { print } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/** `export` */
export const EXPORT = {
  command: "export",
  operands: "CONTAINER",
  summary: "Write a container's files as a tar archive, without its volumes",
  examples: [
    ["minictr export -o web.tar web", "to a file"],
    ["minictr export web | gzip >web.tar.gz", "to a pipe"],
    ["minictr rootfs build tar --name web web.tar", "makes a root filesystem of it"],
  ],
  groups: [{
    name: "export",
    title: "Options",
    flags: [{ name: "output", short: "o", value: "FILE", help: "instead of standard output" }],
  }],
} as const satisfies Grammar;

/** `minictr export` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags: { output }, operands: [name, extra], help } = parseInterspersed(EXPORT, args);
  if (help) {
    print(`${helpText(EXPORT)}\n`);
    return 0;
  }
  if (name === undefined || extra !== undefined) {
    throw wrongUse(EXPORT, '"export" takes a container');
  }
  if (output === "") throw new UsageError('--output: "" is not the name of a file');
  if (output === undefined && isTerminal(1)) {
    throw new CopyError("an archive is not for a terminal: give -o FILE, or redirect it");
  }
  const roots = rootsBelow(root);
  using view = await viewOf(roots, pick(knownContainers(roots), name));
  if (output === undefined) writeAll(archiveOf(view));
  else writeFile(output, archiveOf(view));
  return 0;
}

function archiveOf({ root, spec }: View): Iterable<Uint8Array<ArrayBuffer>> {
  const shift = toContainer(spec);
  return tarStream(withoutTop(walk(root, { mounts: "leave" })), {
    nameOf: (name) => name,
    header: (header) => ({
      ...header,
      uid: shift(header.uid, "uid"),
      gid: shift(header.gid, "gid"),
    }),
    onCut: (name) => say(`"${name}" became shorter meanwhile: zeros stand for the rest`),
  });
}

function* withoutTop(found: Iterable<Found>): Generator<Found> {
  for (const entry of found) if (entry.name !== "") yield entry;
}

/** The file is there whole or not at all; rename(2). */
function writeFile(path: string, pieces: Iterable<Uint8Array<ArrayBuffer>>): void {
  const partial = `${path}.partial-${crypto.randomUUID()}`;
  try {
    using file = Deno.openSync(partial, { write: true, createNew: true, mode: 0o600 });
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) at += file.writeSync(piece.subarray(at));
    }
    Deno.renameSync(partial, path);
  } catch (error) {
    try {
      Deno.removeSync(partial);
    } catch (other) {
      if (!(other instanceof Deno.errors.NotFound)) throw other;
    }
    throw error;
  }
}
