import { SpecError } from "../../spec/error.ts";

/** What a filter answers: one of SECCOMP_RET_*, with its 16 bits of data; seccomp(2). */
export type Action = number;

export const KILL_PROCESS: Action = 0x8000_0000;
export const ENOSYS: Action = 0x0005_0000 | 38;

/** EPERM, the errno of SCMP_ACT_ERRNO and the message of SCMP_ACT_TRACE where none is given. */
const EPERM = 1;

/** `include/uapi/linux/seccomp.h`; SCMP_ACT_KILL is the old name of SCMP_ACT_KILL_THREAD. */
const ACTIONS: Readonly<Record<string, Action>> = {
  SCMP_ACT_ALLOW: 0x7fff_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_KILL: 0x0000_0000,
  SCMP_ACT_KILL_PROCESS: KILL_PROCESS,
  SCMP_ACT_KILL_THREAD: 0x0000_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
};

/** The names of config-linux.md#seccomp's actions that can be compiled. */
export const ACTION_NAMES: readonly string[] = Object.keys(ACTIONS);

/**
 * An action of config.json; `data` is the errno, or what a tracer is told, and is without meaning
 * for other actions.
 *
 * @throws SpecError for an action that config-linux.md#seccomp does not have
 */
export function actionOf(name: string, data: number | undefined, field: string): Action {
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) {
    throw new SpecError(field, `"${name}" is not an action; there are ${ACTION_NAMES.join(", ")}`);
  }
  if (name !== "SCMP_ACT_ERRNO" && name !== "SCMP_ACT_TRACE") return action;
  return action | ((data ?? EPERM) & 0xffff);
}

/** Whether unknown calls go ahead; they are then left to the kernel, or to the tracer. */
export function isPermissive(name: string): boolean {
  return name === "SCMP_ACT_ALLOW" || name === "SCMP_ACT_LOG" || name === "SCMP_ACT_TRACE";
}
