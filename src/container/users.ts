/**
 * Who a container's process is: names looked up in the passwd(5) and group(5) of the root filesystem.
 *
 * Both are files that the image's maker wrote: they are opened inside the root (links included),
 * must be regular, and are read up to a limit (CVE-2026-47262; a FIFO would hang: CVE-2024-9676).
 *
 * @module
 */
import { S_IFMT, S_IFREG, syscall, SyscallError, trySyscall } from "../../ffi/mod.ts";
import { openInRoot } from "./inside.ts";
import type { User } from "../spec/mod.ts";

/** A user and a group as they were asked for; digits have become numbers and are never names. */
export interface WantedUser {
  user?: number | string;
  group?: number | string;
}

/** Who the process will be, and where that user lives. */
export interface ResolvedUser {
  user: User;
  home: string;
}

interface Entry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

const LIMIT_BYTES = 10 * 1024 * 1024;
const STAT_SIZE = 144; // Bytes; struct stat of both architectures fits.
const STAT_MODE_OFFSET = Deno.build.arch === "aarch64" ? 16 : 24;

/**
 * Looks a user up in a root filesystem, with its group and all groups that list it.
 *
 * @param roots directories that make the root, the topmost first
 * @param groups supplementary groups by name
 * @throws {Error} for a name that the root does not know
 */
export function resolveUser(
  roots: string[],
  wanted: WantedUser,
  groups: string[],
  base: User,
): ResolvedUser {
  const passwd = fields(readInside(roots, "etc/passwd")).map(passwdEntry);
  const entry = find(passwd, wanted.user ?? base.uid);
  if (typeof wanted.user === "string" && !entry) {
    throw new Error(
      `cannot become user "${wanted.user}": /etc/passwd in the container has no such name`,
    );
  }
  const uid = entry?.uid ?? Number(wanted.user ?? base.uid);
  const needed = typeof wanted.group === "string" || groups.length > 0 ||
    wanted.group === undefined;
  const lines = needed ? fields(readInside(roots, "etc/group")) : [];
  const gid = wanted.group === undefined ? entry?.gid ?? base.gid : groupId(lines, wanted.group);
  const listed = wanted.group === undefined && entry
    ? lines.filter(([, , , members = ""]) => members.split(",").includes(entry.name))
      .map(([, , id]) => Number(id))
    : [];
  const additional = [
    ...base.additionalGids ?? [],
    ...groups.map((group) => groupId(lines, group)),
    ...listed,
  ].filter((id) => Number.isInteger(id));
  const user: User = { ...base, uid, gid };
  if (additional.length > 0) user.additionalGids = [...new Set(additional)];
  return { user, home: entry?.home || "/" };
}

function find(passwd: Entry[], user: number | string): Entry | undefined {
  return passwd.find(({ name, uid }) => typeof user === "number" ? uid === user : name === user);
}

function passwdEntry([name = "", , uid, gid, , home = ""]: string[]): Entry {
  return { name, uid: Number(uid), gid: Number(gid), home };
}

function groupId(lines: string[][], group: number | string): number {
  if (typeof group === "number") return group;
  const line = lines.find(([name]) => name === group);
  const id = Number(line?.[2]);
  if (!line || !Number.isInteger(id)) {
    throw new Error(`cannot use group "${group}": /etc/group in the container has no such name`);
  }
  return id;
}

function fields(text: string): string[][] {
  return text.split("\n").filter((line) => line.includes(":")).map((line) => line.split(":"));
}

/** The text of a small regular file in the topmost root that has it; "" where none has. */
function readInside(roots: string[], path: string): string {
  for (const root of roots) {
    const text = readIn(root, path);
    if (text !== undefined) return text;
  }
  return "";
}

function readIn(root: string, path: string): string | undefined {
  using file = openInRoot(root, path);
  if (!file) return undefined;
  const stat = new Uint8Array(STAT_SIZE);
  syscall("fstat", file.number, stat);
  const mode = new DataView(stat.buffer).getUint32(STAT_MODE_OFFSET, true);
  if ((mode & S_IFMT) !== S_IFREG) return undefined;
  return readUpTo(file.number, `${root}/${path}`);
}

function readUpTo(fd: number, name: string): string {
  const chunks: Uint8Array[] = [];
  let total = 0;
  while (true) {
    const chunk = new Uint8Array(65_536);
    const count = trySyscall("read", fd, chunk, chunk.length);
    if (count < 0) throw new SyscallError("read", -count);
    if (count === 0) break;
    total += count;
    if (total > LIMIT_BYTES) throw new Error(`cannot read "${name}": it is larger than 10 MiB`);
    chunks.push(chunk.subarray(0, count));
  }
  const whole = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return new TextDecoder().decode(whole);
}
