import { CLD_EXITED, P_PIDFD, POLLIN, WEXITED } from "../../ffi/mod.ts";
import { call, flags, place, room, slot, type Step, step } from "../plan/mod.ts";
import { ARCH } from "../../ffi/mod.ts";
import { assemble, roomOf, runHere } from "../stage/mod.ts";

/** How a process ended. */
export interface End {
  /** Exit code, or undefined when a signal ended it. */
  code?: number;
  signal?: number;
}

/** The status that a shell would show: the exit code, or 128 plus the signal's number. */
export function statusOf({ code, signal }: End): number {
  return code ?? 128 + (signal ?? 0);
}

/**
 * Waits for a child of this process; waitid(2).
 *
 * @param signals a descriptor from which one byte a signal is read, to be sent on to the child
 */
export function waitFor(pidfd: number, signals: number): End {
  const siginfo = room("siginfo_t", 128);
  const program = assemble(waitSteps(pidfd, signals, siginfo), { base: "here", arch: ARCH });
  const failure = runHere(program);
  if (failure) throw new Error(`cannot wait for the container: errno ${failure.errno}`);
  const info = roomOf(program, siginfo);
  const view = new DataView(info.buffer, info.byteOffset);
  const status = view.getInt32(24, true); // si_status
  return view.getInt32(8, true) === CLD_EXITED ? { code: status } : { signal: status };
}

function waitSteps(pidfd: number, signals: number, siginfo: ReturnType<typeof room>): Step[] {
  const polled = room("struct pollfd[2]", 16);
  const number = room("signal", 8);
  const signal = slot("signal");
  const pid = slot("si_pid");
  const WNOHANG = 1;
  return [
    step("wait for the container and for signals", [
      call("store32", [place(polled, 0), pidfd]),
      call("store32", [place(polled, 4), POLLIN]),
      call("store32", [place(polled, 8), signals]),
      call("store32", [place(polled, 12), POLLIN]),
      call("ppoll", [polled, 2, 0, 0, 8], {
        id: ".again",
        on: [{ errno: "EINTR", goto: ".again" }],
      }),
      call("read", [signals, number, 1], {
        on: [{ errno: "EAGAIN", goto: ".ended" }, { value: 0, goto: ".ended" }],
      }),
      call("load64", [number], { to: signal }),
      call("pidfd_send_signal", [pidfd, signal, 0, 0], { on: [{ errno: "any", goto: ".again" }] }),
      call("add", [0, 0], { on: [{ value: 0, goto: ".again" }] }),
      call("waitid", [flags({ P_PIDFD }), pidfd, siginfo, flags({ WEXITED, WNOHANG }), 0], {
        id: ".ended",
        on: [{ errno: "EINTR", goto: ".ended" }],
      }),
      call("load32", [place(siginfo, 16)], { to: pid, on: [{ value: 0, goto: ".again" }] }),
    ]),
  ];
}
