/** Settings of a network namespace's stack: /proc/sys/net of the one that this thread is in. */

/**
 * Equivalent to `sysctl net.$name=$value`, with "/" for "."; a read-only /proc/sys that is right
 * already will do.
 *
 * @returns false where there is no such setting: IPv6 that is switched off
 * @throws {Error} when it cannot be written
 */
export function setSysctl(name: string, value: string): boolean {
  const path = `/proc/sys/net/${name}`;
  try {
    Deno.writeTextFileSync(path, value, { create: false });
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return false;
    if (getSysctl(name) === value) return true;
    throw new Error(`cannot set "${path}" to ${value}: ${messageOf(cause)}`, { cause });
  }
}

/** Equivalent to `sysctl -n net.$name`; undefined where there is no such setting. */
export function getSysctl(name: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/sys/net/${name}`).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Lets this host pass packets on. Of IPv6 that makes interfaces deaf to router advertisements, so
 * those that listen are told to go on doing so (accept_ra 2).
 */
export function enableForwarding(families: { v4: boolean; v6: boolean }): void {
  if (families.v4) setSysctl("ipv4/ip_forward", "1");
  if (!families.v6 || getSysctl("ipv6/conf/all/forwarding") !== "0") return;
  for (const { name } of Deno.readDirSync("/proc/sys/net/ipv6/conf")) {
    if (getSysctl(`ipv6/conf/${name}/accept_ra`) === "1") {
      setSysctl(`ipv6/conf/${name}/accept_ra`, "2");
    }
  }
  setSysctl("ipv6/conf/all/forwarding", "1");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
