import {
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../../ffi/mod.ts";
import { goto } from "./calls.ts";
import {
  type Call,
  call,
  type Flags,
  flags,
  mode,
  type On,
  type Slot,
  slot,
  type Struct,
  struct,
} from "./step.ts";

/** What a path inside the root must be. */
export type TargetKind = "directory" | "file";

const OPEN_HOW_SIZE = 24; // Bytes.
const NEW_DIRECTORY = mode(0o755);
const RESOLVE_INSIDE = flags({ RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS });
const RESOLVE_PLAIN = flags({ RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS });
const OPEN_PATH = flags({ O_PATH, O_CLOEXEC });
const OPEN_DIRECTORY = flags({ O_PATH, O_DIRECTORY, O_CLOEXEC });
const OPEN_CREATED = flags({ O_PATH, O_NOFOLLOW, O_CLOEXEC });
// Without O_DIRECTORY, O_PATH and O_NOFOLLOW would open a link itself.
const OPEN_MADE = flags({ O_PATH, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC });

/** openat2(2): links resolve inside `root`, and /proc's magic links not at all. */
export function openInside(
  root: Slot,
  path: string,
  more: { to: Slot; on?: Call["on"]; id?: string; how?: Flags },
): Call {
  const { how = OPEN_PATH, ...rest } = more;
  return openat2(root, path, how, RESOLVE_INSIDE, rest as Parameters<typeof call>[2]);
}

/** openat2(2) of what must not be reached through a link, as a rule a directory (CVE-2019-19921). */
export function openPlain(
  root: Slot,
  path: string,
  more: Parameters<typeof call>[2],
  how = OPEN_DIRECTORY,
): Call {
  return openat2(root, path, how, RESOLVE_PLAIN, more);
}

function openat2(
  directory: Slot,
  path: string,
  how: Flags,
  resolve: Flags,
  more: Parameters<typeof call>[2],
): Call {
  return call("openat2", [directory, path, openHow(how, resolve), OPEN_HOW_SIZE], more);
}

const HOWS = new Map<Flags, Map<Flags, Struct>>();

/** The same struct for all calls that open alike. */
function openHow(how: Flags, resolve: Flags): Struct {
  let resolving = HOWS.get(resolve);
  if (!resolving) HOWS.set(resolve, resolving = new Map());
  let made = resolving.get(how);
  if (!made) {
    made = struct("open_how", [["flags", 8, how], ["mode", 8, 0], ["resolve", 8, resolve]]);
    resolving.set(how, made);
  }
  return made;
}

/**
 * Opens a path inside the root into `to`, making what is missing.
 *
 * Each missing component is made with mkdirat(2) in the directory that was opened before it, and is
 * then opened without following links: a link put in its place meanwhile is refused, and nothing is
 * made outside the root (CVE-2024-45310).
 *
 * @param path relative to the root, without `.` and `..`
 */
export function ensureTarget(root: Slot, path: string, kind: TargetKind, to: Slot): Call[] {
  const components = path.split("/").filter((component) => component !== "");
  const mark = `.${path}`;
  const done = `${mark} done`;
  const calls: Call[] = [
    openInside(root, components.join("/") || ".", {
      to,
      on: [{ errno: "ENOENT", goto: components.length > 0 ? `${mark} 0` : "failed" }],
    }),
    goto(done),
  ];
  let parent = root;
  for (const [index, name] of components.entries()) {
    const last = index === components.length - 1;
    const opened = last ? to : slot(`/${components.slice(0, index + 1).join("/")}`);
    const created = last && kind === "file";
    const skip = `${mark} ${index + 1}`;
    if (!last) {
      calls.push(openInside(root, components.slice(0, index + 1).join("/"), {
        to: opened,
        id: `${mark} ${index}`,
        on: [{ errno: "ENOENT", goto: `${mark} make ${index}` }],
      }));
      calls.push(goto(skip));
    }
    calls.push(
      ...make(parent, name, opened, created, last ? `${mark} ${index}` : `${mark} make ${index}`),
    );
    parent = opened;
  }
  calls.push(call("add", [0, 0], { id: done }));
  return calls;
}

/**
 * Opens a directory, made where it is missing, in a filesystem in which nobody but this plan has been:
 * nothing need be looked for there first. What is no directory is refused all the same.
 */
export function freshTarget(made: Slot, name: string, to: Slot): Call[] {
  return [
    call("mkdirat", [made, name, NEW_DIRECTORY], { on: [{ errno: "EEXIST", goto: ".open" }] }),
    call("openat", [made, name, OPEN_MADE, 0], { to, id: ".open" }),
  ];
}

function make(parent: Slot, name: string, to: Slot, file: boolean, id: string): Call[] {
  const exists: On[] = [{ errno: "EEXIST", goto: `${id} open` }];
  const made = slot(`new ${name}`);
  const open = call("openat", [parent, name, file ? OPEN_CREATED : OPEN_MADE], {
    to,
    id: `${id} open`,
  });
  if (!file) return [call("mkdirat", [parent, name, NEW_DIRECTORY], { id, on: exists }), open];
  const create = flags({ O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_CLOEXEC });
  return [
    call("openat", [parent, name, create, mode(0o644)], { id, to: made, on: exists }),
    call("close", [made]),
    open,
  ];
}
