import { SpecError } from "../spec/error.ts";
import type { Spec } from "../spec/types.ts";

/**
 * Refuses what config.json can ask for and no step does yet: nothing is dropped in silence.
 *
 * @throws {SpecError} that names the first such field
 */
export function refuseUnsupported({ hooks, process, linux, mounts }: Spec): void {
  const asked: Record<string, unknown> = {
    "hooks": hooks && Object.values(hooks).some((list) => list.length > 0) ? hooks : undefined,
    "process.selinuxLabel": process?.selinuxLabel,
    "linux.mountLabel": linux?.mountLabel,
    "linux.intelRdt": linux?.intelRdt,
    "linux.netDevices": linux?.netDevices,
  };
  for (const [index, mount] of (mounts ?? []).entries()) {
    asked[`mounts[${index}].uidMappings`] = mount.uidMappings;
    asked[`mounts[${index}].options`] = mount.options?.find((option) => option === "tmpcopyup");
  }
  for (const [field, value] of Object.entries(asked)) {
    if (value !== undefined && value !== "" && !isEmpty(value)) {
      throw new SpecError(field, "is not supported yet");
    }
  }
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
