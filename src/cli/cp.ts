import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { type Roots, rootsBelow } from "../container/state.ts";
import { isTerminal } from "../container/console.ts";
import {
  type Copied,
  copyTree,
  type Dress,
  isDirectory,
  openSource,
  openTarget,
  type Side,
  targetAt,
} from "../container/copy.ts";
import { baseOf, containerPath, CopyError, meansContent, placeOf } from "../container/copy_path.ts";
import { toContainer, toHost } from "../container/ids.ts";
import { type View, viewOf } from "../container/view.ts";
import { decompressed, extractTar, fromText, tarStream, walk } from "../image/mod.ts";
import { type Grammar, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { parseInterspersed } from "./interspersed.ts";
import { print } from "./output.ts";
import { bytes } from "./ps_row.ts";
import { UsageError } from "./usage_error.ts";

/** `cp` */
export const CP = {
  command: "cp",
  operands: "CONTAINER:PATH PATH|-  or  PATH|- CONTAINER:PATH",
  summary: "Copy files between a container, running or not, and the host",
  examples: [
    ["minictr cp web:/etc/nginx ./nginx", "a directory"],
    ["minictr cp ./site/. web:/srv/www", "what is in a directory"],
    ["minictr cp web:/var/log - | tar tv", "as a tar archive"],
  ],
  groups: [{
    name: "cp",
    title: "Options",
    flags: [
      {
        name: "archive",
        short: "a",
        help: "keep owners and attributes, and, out of a container, setuid bits",
      },
      { name: "follow-link", short: "L", help: "copy what a link leads to, if the source is one" },
      { name: "quiet", short: "q", help: "do not say what was copied" },
    ],
  }],
} as const satisfies Grammar;

interface Options {
  archive: boolean;
  follow: boolean;
}

const HOST: Side = { kind: "host" };
const SETID = 0o6000;

/** `minictr cp` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { flags, operands: [from, to, extra], help } = parseInterspersed(CP, args);
  if (help) {
    print(`${helpText(CP)}\n`);
    return 0;
  }
  if (from === undefined || to === undefined || extra !== undefined) {
    throw wrongUse(CP, '"cp" takes a source and a target');
  }
  const [source, target] = [containerPath(from), containerPath(to)];
  if (source && target) throw wrongUse(CP, "copying between containers is not supported");
  const inside = source ?? target;
  if (!inside) throw wrongUse(CP, "one of both is CONTAINER:PATH");
  if (Deno.uid() !== 0) throw new UsageError("copying from and to containers needs root");
  const options = { archive: flags.archive, follow: flags["follow-link"] };
  using view = await viewNamed(rootsBelow(root), inside.container);
  const path = inside.path === "" ? "/" : inside.path;
  const copied = source
    ? to === "-" ? toStream(view, path, options) : await copyOut(view, path, to, options)
    : from === "-"
    ? await fromStream(view, path)
    : await copyIn(view, from, path, options);
  if (copied.leftOut > 0) say(`${copied.leftOut} devices and sockets were left out`);
  if (!flags.quiet && to !== "-" && isTerminal(2)) {
    say(`copied ${copied.entries} files, ${bytes(copied.contentBytes)}`);
  }
  return 0;
}

async function viewNamed(roots: Roots, name: string): Promise<View> {
  return await viewOf(roots, pick(knownContainers(roots), name));
}

async function copyOut(view: View, path: string, to: string, options: Options): Promise<Copied> {
  const side: Side = { kind: "container", root: view.root };
  using source = openSource(side, path, options.follow);
  const target = targetAt(HOST, to);
  const place = placeOf({ path, isDirectory: isDirectory(source) }, target);
  const into = openTarget(HOST, target, place);
  using _ = into.directory;
  const [uid, gid] = [Deno.uid() ?? 0, Deno.gid() ?? 0];
  const shift = toContainer(view.spec);
  // A container's setuid programs and file capabilities must not become root's own by accident.
  const dress: Dress = options.archive
    ? ({ uid, gid, mode, xattrs }) => ({
      uid: shift(uid, "uid"),
      gid: shift(gid, "gid"),
      mode,
      xattrs,
    })
    : ({ mode }) => ({ uid, gid, mode: mode & ~SETID, xattrs: new Map() });
  return await copyTree(source, into, dress);
}

async function copyIn(view: View, from: string, path: string, options: Options): Promise<Copied> {
  const side: Side = { kind: "container", root: view.root };
  using source = openSource(HOST, from, options.follow);
  const target = targetAt(side, path);
  const place = placeOf({ path: from, isDirectory: isDirectory(source) }, target);
  const into = openTarget(side, target, place);
  using _ = into.directory;
  const shift = toHost(view.spec);
  const dress: Dress = ({ uid, gid, mode, xattrs }) => ({
    uid: shift(options.archive ? uid : 0, "uid"),
    gid: shift(options.archive ? gid : 0, "gid"),
    mode,
    xattrs: options.archive ? xattrs : new Map(),
  });
  return await copyTree(source, into, dress);
}

/** A tar archive on standard output. */
function toStream(view: View, path: string, options: Options): Copied {
  if (isTerminal(1)) throw new CopyError("an archive is not for a terminal: redirect it");
  const side: Side = { kind: "container", root: view.root };
  using source = openSource(side, path, options.follow);
  const name = baseOf(path);
  const top = meansContent(path) || name === "" ? "." : fromText(name);
  const copied: Copied = { entries: 0, contentBytes: 0, leftOut: 0 };
  const shift = toContainer(view.spec);
  const stream = tarStream(walk(source, { mounts: "enter", onLeftOut: () => copied.leftOut++ }), {
    nameOf: (inner) => inner === "" ? top : `${top}/${inner}`,
    header: (header) => ({
      ...header,
      uid: shift(header.uid, "uid"),
      gid: shift(header.gid, "gid"),
    }),
    onCut: (inner) => say(`"${inner}" became shorter meanwhile: zeros stand for the rest`),
  });
  writeAll(stream);
  return copied;
}

/** Unpacks a tar archive from standard input, compressed or not, with the owners that it names. */
async function fromStream(view: View, path: string): Promise<Copied> {
  const side: Side = { kind: "container", root: view.root };
  const target = targetAt(side, path);
  if (target.kind !== "directory") {
    throw new CopyError(`an archive is unpacked into a directory, and "${path}" is none`);
  }
  const { directory } = openTarget(side, target, { in: "target", name: undefined });
  using _ = directory;
  const shift = toHost(view.spec);
  const { entries, contentBytes, skippedDevices } = await extractTar(
    await decompressed(Deno.stdin.readable),
    directory,
    {
      tree: { crossMounts: true, keepKinds: true },
      keepTop: true,
      ownerOf: ({ uid, gid }) => ({ uid: shift(uid, "uid"), gid: shift(gid, "gid") }),
    },
  );
  return { entries, contentBytes, leftOut: skippedDevices };
}

/** Writes to standard output. */
export function writeAll(pieces: Iterable<Uint8Array<ArrayBuffer>>): void {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) at += Deno.stdout.writeSync(piece.subarray(at));
  }
}

/** A line for the user beside what is printed. */
export function say(text: string): void {
  const line = new TextEncoder().encode(`minictr: ${text}\n`);
  for (let at = 0; at < line.length;) at += Deno.stderr.writeSync(line.subarray(at));
}
