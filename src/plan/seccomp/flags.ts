import type { LinuxSeccomp } from "../../spec/types.ts";
import { SpecError } from "../../spec/error.ts";

/** `include/uapi/linux/seccomp.h`. */
const FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_LOG: 1 << 1,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 1 << 2,
  SECCOMP_FILTER_FLAG_TSYNC: 1 << 0,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 1 << 5,
};
const SECCOMP_FILTER_FLAG_NEW_LISTENER = 1 << 3;

/** The names of config-linux.md#seccomp's flags. */
export const FLAG_NAMES: readonly string[] = Object.keys(FLAGS);

/**
 * The flags that seccomp(2) gets with a profile's filter, by name. As in runc: without `flags` it is
 * SECCOMP_FILTER_FLAG_SPEC_ALLOW (Linux 4.17; the processor's speculation stays as it was), TSYNC is
 * left out, as the process has one thread, and SCMP_ACT_NOTIFY asks for a listener.
 *
 * @throws SpecError for a flag that config-linux.md#seccomp does not have
 */
export function filterFlags({ flags, syscalls = [] }: LinuxSeccomp): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [index, name] of (flags ?? ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]).entries()) {
    const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
    if (flag === undefined) {
      const message = `"${name}" is not a flag; there are ${FLAG_NAMES.join(", ")}`;
      throw new SpecError(`linux.seccomp.flags[${index}]`, message);
    }
    if (name !== "SECCOMP_FILTER_FLAG_TSYNC") result[name] = flag;
  }
  if (syscalls.some(({ action }) => action === "SCMP_ACT_NOTIFY")) {
    return { ...result, SECCOMP_FILTER_FLAG_NEW_LISTENER };
  }
  return result;
}
