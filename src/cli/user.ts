import { UsageError } from "./usage_error.ts";

/** Who a process is to be, with names that only the container's root filesystem can resolve. */
export interface UserName {
  /** A number, or a name of /etc/passwd; absent: the image's, or root. */
  user?: number | string;
  /** A number, or a name of /etc/group; absent: the user's group in /etc/passwd, or 0. */
  group?: number | string;
}

/** The greatest id: 2^32-1 means "no change" to setresuid(2). */
const LAST_ID = 2 ** 32 - 2;

/**
 * A user: `USER[:GROUP]`, `:GROUP`, each a name or a number.
 *
 * Digits are never a name, whatever /etc/passwd says, and a number out of range is an error:
 * CVE-2024-40635, CVE-2026-46680 and CVE-2026-30892 were ids that became 0.
 *
 * @throws {UsageError} if it is none
 */
export function parseUser(text: string): UserName {
  const [user = "", group = "", more] = text.split(":");
  if (more !== undefined) throw new UsageError(`"${text}" is not USER[:GROUP]`);
  return {
    ...user !== "" && { user: idOrName(user) },
    ...group !== "" && { group: idOrName(group) },
  };
}

/**
 * A user or a group: a number from 0 to 2^32-2, or a name.
 *
 * @throws {UsageError} if it is neither
 */
export function idOrName(text: string): number | string {
  if (/^\d+$/.test(text)) {
    const id = Number(text);
    if (id > LAST_ID) throw new UsageError(`"${text}" is no id: the last one is ${LAST_ID}`);
    return id;
  }
  // What /etc/passwd can hold as a name; "-1" and "+1" are numbers gone wrong.
  if (!/^[^\s:,/+\-\p{Cc}][^\s:,/\p{Cc}]{0,255}$/u.test(text) || /^[\d.]+$/.test(text)) {
    throw new UsageError(`"${text}" is neither a name nor a number`);
  }
  return text;
}

/** A line of uid_map for config.json. */
export interface IdMap {
  containerID: number;
  hostID: number;
  size: number;
}

/**
 * A line of an id map: `INSIDE:HOST:SIZE`, as podman's `--uidmap`.
 *
 * @throws {UsageError} if it is none, or goes beyond the last id
 */
export function parseIdMap(text: string): IdMap {
  const [, inside, host, size] = /^(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(text) ?? [];
  const map = { containerID: Number(inside), hostID: Number(host), size: Number(size) };
  if (!(map.size >= 1)) throw new UsageError(`"${text}" is not INSIDE:HOST:SIZE`);
  if (Math.max(map.containerID, map.hostID) + map.size - 1 > LAST_ID) {
    throw new UsageError(`"${text}" goes beyond the last id, ${LAST_ID}`);
  }
  return map;
}
