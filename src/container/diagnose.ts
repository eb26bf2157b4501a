/**
 * Why a command could not be executed, found out by looking at the file in the container's root.
 *
 * The kernel says ENOENT for a file that is there but whose interpreter is not, and ENOEXEC for a
 * program of another architecture; execve(2), elf(5).
 *
 * @module
 */
import { trySyscall } from "../../ffi/mod.ts";
import { openInRoot } from "./inside.ts";

/** What is known of a failed execution. */
export interface Diagnosis {
  /** One line: a lower-case fragment. */
  text: string;
  /** 126: found but not executable; 127: not found. */
  exitCode: 126 | 127;
}

const HEAD_BYTES = 4096;
const ENOENT = 2, ENOEXEC = 8, EACCES = 13, ENOTDIR = 20;
const PT_INTERP = 3;
const MACHINES: Record<number, string> = {
  3: "i386",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv64",
};

/**
 * Looks for the cause.
 *
 * @param root a process whose root is looked at: /proc/PID/root
 * @param tried the paths at which the command was looked for, with what execve(2) said of each
 */
export function diagnose(
  root: number,
  command: string,
  tried: { path: string; errno: number }[],
): Diagnosis {
  // Behind each directory of $PATH it names the directory itself.
  if (command === "") return { text: '"": executable file not found in $PATH', exitCode: 127 };
  const told = tried.find(({ errno }) => errno !== ENOENT && errno !== ENOTDIR);
  for (const { path, errno } of told ? [told, ...tried] : tried) {
    const head = readHead(root, path);
    if (head === undefined) continue;
    if (head === "directory") return { text: `"${path}" is a directory`, exitCode: 126 };
    const cause = causeIn(head, path, errno, (file) => readHead(root, file) !== undefined);
    if (cause) return cause;
  }
  if (told?.errno === EACCES) {
    return { text: `"${told.path}": permission denied (EACCES)`, exitCode: 126 };
  }
  if (told) return { text: `"${told.path}" cannot be executed`, exitCode: 126 };
  return command.includes("/")
    ? { text: `"${command}": no such file or directory`, exitCode: 127 }
    : { text: `"${command}": executable file not found in $PATH`, exitCode: 127 };
}

function causeIn(
  head: Uint8Array,
  path: string,
  errno: number,
  exists: (path: string) => boolean,
): Diagnosis | undefined {
  const script = shebang(head);
  if (errno === EACCES) {
    return {
      text:
        `"${path}": permission denied (EACCES): it is not executable for the user, or lies on ` +
        `a mount with noexec; chmod +x may help`,
      exitCode: 126,
    };
  }
  if (script !== undefined && errno === ENOENT) {
    const [interpreter = ""] = script.trim().split(/[ \t]/);
    if (script.endsWith("\r")) {
      return {
        text: `"${path}" is there, but its first line ends in a carriage return, so its ` +
          `interpreter would be "${interpreter}\\r"; convert it with dos2unix`,
        exitCode: 127,
      };
    }
    return missing(path, `its interpreter "${interpreter}"`, exists(interpreter));
  }
  const elf = elfFacts(head);
  if (elf && elf.machine !== hostMachine() && errno === ENOEXEC) {
    return {
      text:
        `"${path}" is a program for ${MACHINES[elf.machine] ?? `machine ${elf.machine}`}, this ` +
        `host is ${Deno.build.arch}: exec format error (ENOEXEC)`,
      exitCode: 126,
    };
  }
  if (elf?.interpreter && errno === ENOENT) {
    return missing(path, `its ELF interpreter "${elf.interpreter}"`, exists(elf.interpreter));
  }
  if (errno === ENOEXEC) {
    return {
      text: `"${path}" is neither a program nor a script that begins with "#!": exec format ` +
        `error (ENOEXEC)`,
      exitCode: 126,
    };
  }
  return undefined;
}

function missing(path: string, what: string, there: boolean): Diagnosis | undefined {
  if (there) return undefined;
  const text =
    `"${path}": no such file or directory: it is there, but ${what} is not in the root ` +
    "filesystem";
  return { text, exitCode: 127 };
}

function hostMachine(): number {
  return Deno.build.arch === "aarch64" ? 183 : 62;
}

/** The first line behind `#!`, with a carriage return if it ends in one. */
function shebang(head: Uint8Array): string | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const end = head.indexOf(0x0a);
  return new TextDecoder().decode(head.subarray(2, end < 0 ? 256 : end));
}

/** Machine and PT_INTERP of an ELF file of 64 or 32 bits. */
function elfFacts(head: Uint8Array): { machine: number; interpreter?: string } | undefined {
  if (head.length < 64 || head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c) {
    return undefined;
  }
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const wide = head[4] === 2;
  const machine = view.getUint16(18, true);
  const table = wide ? Number(view.getBigUint64(32, true)) : view.getUint32(28, true);
  const size = view.getUint16(wide ? 54 : 42, true);
  const count = view.getUint16(wide ? 56 : 44, true);
  for (let index = 0; index < count; index++) {
    const at = table + index * size;
    if (at + size > head.length) break;
    if (view.getUint32(at, true) !== PT_INTERP) continue;
    const offset = wide ? Number(view.getBigUint64(at + 8, true)) : view.getUint32(at + 4, true);
    const length = wide ? Number(view.getBigUint64(at + 32, true)) : view.getUint32(at + 16, true);
    const text = new TextDecoder().decode(head.subarray(offset, offset + length - 1));
    return { machine, interpreter: text };
  }
  return { machine };
}

/** The first bytes of a file inside the process's root; undefined where there is none. */
function readHead(root: number, path: string): Uint8Array | "directory" | undefined {
  using file = openInRoot(`/proc/${root}/root`, path);
  if (!file) return undefined;
  const head = new Uint8Array(HEAD_BYTES);
  const EISDIR = -21;
  const count = trySyscall("read", file.number, head, HEAD_BYTES);
  if (count === EISDIR) return "directory";
  return count < 0 ? undefined : head.subarray(0, count);
}
