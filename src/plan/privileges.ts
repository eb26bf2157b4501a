import { SpecError } from "../spec/error.ts";
import type { Linux, LinuxCapabilities, Process } from "../spec/types.ts";
import {
  becomeUser,
  boundCapabilities,
  loadFilter,
  noNewPrivileges,
  setCapabilities,
} from "./credentials.ts";
import {
  closeDescriptors,
  dieWithParent,
  enterDirectory,
  rlimitSteps,
  setUmask,
} from "./process.ts";
import { ofCommand, type Slot, type Step } from "./step.ts";

/** What was found out about the host, and decided, as far as privileges depend on it. */
export interface Privileges {
  /** Compiled `linux.seccomp`, and SECCOMP_FILTER_FLAG_*. */
  seccomp?: { filter: Uint8Array; flags: Record<string, number> };
  /** /proc/sys/kernel/cap_last_cap */
  lastCapability: number;
  /** Whether the command ends with minictr. */
  foreground: boolean;
  /** Of {@link attributesOf}. */
  attributes?: Step[];
}

/** What few specs ask for, as steps, whose module is loaded for those alone. */
export async function attributesOf(
  process: Process | undefined,
  linux: Linux | undefined,
): Promise<Pick<Privileges, "attributes">> {
  if (!process?.scheduler && !process?.ioPriority && !linux?.personality && !linux?.memoryPolicy) {
    return {};
  }
  const { attributeSteps } = await import("./attributes.ts");
  return { attributes: attributeSteps(process, linux) };
}

/**
 * Stage: from everything to what the command may do, the same for a container's first process and
 * for those that join it.
 *
 * Capabilities are bounded while they are held; the filter comes as late as the rights that loading
 * it needs allow; the descriptors that led here close with the execution.
 */
export function privilegeSteps(
  process: Process | undefined,
  { seccomp, lastCapability, foreground, attributes = [] }: Privileges,
  channel: Slot,
): Step[] {
  if (!process) throw new SpecError("process", "is missing");
  const { capabilities = {} as LinuxCapabilities, user, noNewPrivileges: nnp } = process;
  const filter = seccomp ? [loadFilter(seccomp.filter, seccomp.flags)] : [];
  return [
    ...rlimitSteps(process.rlimits ?? []),
    ...attributes, // Some rights to it come by the limits, and the filter may forbid it.
    boundCapabilities(capabilities, lastCapability),
    // Without no_new_privs the filter needs CAP_SYS_ADMIN, which the next steps give up.
    ...nnp ? [] : filter,
    becomeUser(user, true),
    setCapabilities(capabilities),
    ...foreground ? [dieWithParent(channel)] : [], // A change of user had cleared it.
    ...nnp ? [noNewPrivileges()] : [],
    setUmask(user.umask ?? 0o022),
    ofCommand(enterDirectory(process.cwd)),
    ...nnp ? filter : [], // As late as can be: it may forbid what was done so far.
    closeDescriptors(0),
  ];
}
