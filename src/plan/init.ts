import { PR_SET_NAME, SIG_SETMASK, SIGCHLD, WNOHANG } from "../../ffi/constants.ts";
import { goto } from "./calls.ts";
import { call, flags, place, room, slot, type Step, step } from "./step.ts";

/**
 * `--init`: the stage stays as the first process, and the command is its child.
 *
 * It reaps every process that is orphaned, sends the signals that it gets on to the command, and
 * ends as the command ends. Blocked signals reach even a first process, for which the kernel drops
 * those without a handler; pid_namespaces(7), rt_sigtimedwait(2).
 *
 * The steps come before the one that executes the command; the child goes on there.
 */
export function stayAsInit(): Step[] {
  const child = slot("command");
  const signal = slot("signal");
  const every = new Uint8Array(8).fill(0xff);
  const none = new Uint8Array(8);
  const status = room("status", 8);
  return [
    step("block signals", [call("rt_sigprocmask", [flags({ SIG_SETMASK }), every, 0, 8])]),
    step("start the command as a child of an init", [
      call("clone", [flags({ SIGCHLD }), 0, 0, 0, 0], {
        to: child,
        on: [{ value: 0, goto: "as the command" }],
      }),
      call("prctl", [flags({ PR_SET_NAME }), "minictr-init", 0, 0, 0]),
      // The channel stays open in the child alone, so that its end tells of the execution.
      call("close_range", [3, 0xffff_ffff, 0]),
      call("rt_sigtimedwait", [every, 0, 0, 8], {
        id: ".wait",
        to: signal,
        on: [{ value: SIGCHLD, goto: ".reap" }, { errno: "any", goto: ".wait" }],
      }),
      call("kill", [child, signal], { on: [{ errno: "any", goto: ".wait" }] }),
      goto(".wait"),
      ...reap(child, status),
    ]),
    step("let signals through to the command", [
      call("rt_sigprocmask", [flags({ SIG_SETMASK }), none, 0, 8], { id: "as the command" }),
    ]),
  ];
}

/** Reaps all that has ended; when the command has, ends with its status. */
function reap(child: ReturnType<typeof slot>, status: ReturnType<typeof room>) {
  const ended = slot("ended");
  const other = slot("difference");
  const word = slot("status");
  const byte = slot("exit code with more"), code = slot("exit code");
  const signal = slot("signal that ended it"), told = slot("128 + signal");
  return [
    call("wait4", [-1, status, flags({ WNOHANG }), 0], {
      id: ".reap",
      to: ended,
      on: [{ value: 0, goto: ".wait" }, { errno: "any", goto: ".wait" }],
    }),
    call("subtract", [ended, child], { to: other, on: [{ value: 0, goto: ".over" }] }),
    goto(".reap"),
    call("load32", [status], { id: ".over", to: word }),
    call("and", [word, 0x7f], { to: signal, on: [{ value: 0, goto: ".exited" }] }),
    call("add", [signal, 128], { to: told }),
    call("exit_group", [told]),
    call("load32", [place(status, 1)], { id: ".exited", to: byte }),
    call("and", [byte, 0xff], { to: code }),
    call("exit_group", [code]),
  ];
}
