import { syscall, TCGETS, TCSETS, TIOCGWINSZ, trySyscall } from "../../ffi/mod.ts";

const TERMIOS_SIZE = 60; // Bytes; more than the kernel's struct termios has.
const ICRNL_AND_THE_LIKE = 0o2753; // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
const OPOST = 0o1;
const ECHO_ICANON_ISIG_IEXTEN = 0o100113; // with ECHONL
const CSIZE_PARENB = 0o460;
const CS8 = 0o60;

/** Whether a descriptor is a terminal; isatty(3). */
export function isTerminal(fd: number): boolean {
  return trySyscall("ioctl", fd, TCGETS, new Uint8Array(TERMIOS_SIZE)) === 0;
}

/** The size of a terminal in characters; ioctl_tty(2). */
export function terminalSize(fd: number): { height: number; width: number } | undefined {
  const size = new Uint16Array(4);
  if (trySyscall("ioctl", fd, TIOCGWINSZ, new Uint8Array(size.buffer)) !== 0) return undefined;
  const [height = 0, width = 0] = size;
  return height > 0 && width > 0 ? { height, width } : undefined;
}

/**
 * Puts the caller's terminal into raw mode, so that each key goes to the container's pty, which does
 * the rest: echo, lines, Ctrl-C; termios(3), cfmakeraw.
 *
 * @returns a scope whose end restores it
 */
export function rawTerminal(fd: number): Disposable {
  const before = new Uint8Array(TERMIOS_SIZE);
  syscall("ioctl", fd, TCGETS, before);
  const raw = before.slice();
  const flags = new Uint32Array(raw.buffer, 0, 4); // c_iflag, c_oflag, c_cflag, c_lflag
  const [input = 0, output = 0, control = 0, local = 0] = flags;
  flags[0] = input & ~ICRNL_AND_THE_LIKE;
  flags[1] = output & ~OPOST;
  flags[2] = (control & ~CSIZE_PARENB) | CS8;
  flags[3] = local & ~ECHO_ICANON_ISIG_IEXTEN;
  syscall("ioctl", fd, TCSETS, raw);
  return { [Symbol.dispose]: () => void trySyscall("ioctl", fd, TCSETS, before) };
}

/** Says something to the user, one line beside what the command or the container prints. */
export function notice(text: string): void {
  const bytes = new TextEncoder().encode(`minictr: ${text}\n`);
  for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
}
