/**
 * The machines that executables are built for, and a Deno for each.
 */
import { deno } from "./bundle.ts";

/** As `uname -m` says; Deno's, Debian's and npm's words for it differ. */
export type Target = "x86_64" | "aarch64";

/** What others call a target. */
export interface Words {
  /** The package of Deno in the npm registry. */
  npm: string;
  /** Debian's architecture. */
  debian: string;
  /** For `deno compile --target`. */
  triple: string;
  /** QEMU's program that runs one program of that machine. */
  emulator: string;
}

/** By target. */
export const TARGETS: Readonly<Record<Target, Words>> = {
  x86_64: {
    npm: "@deno/linux-x64-glibc",
    debian: "amd64",
    triple: "x86_64-unknown-linux-gnu",
    emulator: "qemu-x86_64-static",
  },
  aarch64: {
    npm: "@deno/linux-arm64-glibc",
    debian: "arm64",
    triple: "aarch64-unknown-linux-gnu",
    emulator: "qemu-aarch64-static",
  },
};

/** Whether a word names a target. */
export function isTarget(word: string): word is Target {
  return Object.hasOwn(TARGETS, word);
}

/** A Deno to be carried along. */
export interface CarriedDeno {
  path: string;
  version: string;
}

/**
 * The Deno for a target: the one that runs this, or a package of the npm registry, which npm
 * downloads and checks.
 *
 * @param wanted a version, or a file; the version of the Deno that runs this where it is undefined
 * @throws {Error} when the registry has no such version
 */
export async function denoFor(
  target: Target,
  wanted: string | undefined,
  scratch: string,
): Promise<CarriedDeno> {
  if (wanted?.includes("/")) return { path: wanted, version: versionIn(wanted) };
  const version = wanted ?? Deno.version.deno;
  const isOwn = target === Deno.build.arch && version === Deno.version.deno;
  if (isOwn) return { path: Deno.execPath(), version };
  const name = `${TARGETS[target].npm}@${version}`;
  const archive = await output(["npm", "pack", "--silent", name], scratch).catch((cause) => {
    throw new Error(`cannot get ${name}: name another version, or a file, with --deno`, { cause });
  });
  await output(["tar", "-x", "-f", archive.trim(), "package/deno"], scratch);
  return { path: `${scratch}/package/deno`, version };
}

/** Runs a program and returns its standard output. */
export async function output([command = "", ...args]: string[], cwd: string): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${command} ended with status ${code}: ${decode(stderr).trim()}`);
  return decode(stdout);
}

/** Makes one executable by `deno compile`, with `files` beside the program in it. */
export async function compile(
  program: string,
  files: readonly string[],
  { target, to }: { target: Target; to: string },
): Promise<void> {
  const flags = ["-A", "--quiet", "--no-config", "--no-lock", "--no-remote", "--no-npm"];
  const included = files.flatMap((file) => ["--include", file]);
  const where = target === Deno.build.arch ? [] : ["--target", TARGETS[target].triple];
  await deno(["compile", ...flags, ...where, ...included, "-o", `${to}.new`, program]);
  await Deno.rename(`${to}.new`, to);
}

/** What a file says that it is: Deno's release is in its text, as `deno/2.9.6`. */
function versionIn(path: string): string {
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
  return /\bDeno\/(\d+\.\d+\.\d+)\b/.exec(text)?.[1] ?? "unknown";
}
