/**
 * The portable executable: a shell script, and behind it an archive of Deno and the program.
 */

import { HOT, HOT_V8_FLAGS } from "./programs.ts";

const EXECUTABLE = ["deno", "start"];

/** What is packed. */
export interface Parts {
  /** Deno for the machine that `uname -m` calls `machine`. */
  deno: string;
  machine: string;
  /** A directory with the program's files, as `programs.ts` makes them. */
  programs: string;
}

/**
 * Writes an executable that unpacks `parts` where it is run first. The same parts give the same
 * bytes.
 *
 * @returns its size in bytes
 */
export async function makePortable(parts: Parts, output: string): Promise<number> {
  const scratch = await Deno.makeTempDir({ prefix: "minictr-build-" });
  try {
    await Deno.copyFile(parts.deno, `${scratch}/deno`);
    await Deno.writeTextFile(`${scratch}/start`, `#!/bin/sh\n${starter()}start "\${0%/*}" "$@"\n`);
    const programs = Array.from(Deno.readDirSync(parts.programs), ({ name }) => name).sort();
    for (const name of programs) {
      await Deno.copyFile(`${parts.programs}/${name}`, `${scratch}/${name}`);
    }
    const archive = await pack(scratch, ["deno", "start", ...programs]);
    const head = launcher(await digestOf(archive), parts.machine);
    await Deno.writeFile(`${scratch}/minictr`, head);
    await Deno.writeFile(`${scratch}/minictr`, archive, { append: true });
    await Deno.chmod(`${scratch}/minictr`, 0o755);
    await Deno.copyFile(`${scratch}/minictr`, `${output}.new`);
    await Deno.rename(`${output}.new`, output);
    return head.length + archive.length;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** The part of the script that starts the program where it is unpacked. */
function starter(): string {
  return Deno.readTextFileSync(new URL("start.sh", import.meta.url))
    .replace("@HOT@", Object.keys(HOT).join(" | "))
    .replace("@HOT_V8_FLAGS@", HOT_V8_FLAGS);
}

/** The script; tail(1) counts bytes from 1. */
function launcher(digest: string, machine: string): Uint8Array {
  const template = Deno.readTextFileSync(new URL("portable.sh", import.meta.url))
    .replace("@START@\n", () => starter())
    .replace("@COMMANDS@", Object.keys(HOT).join(" "))
    .replace("@DIGEST@", digest)
    .replace("@MACHINE@", machine);
  const placeholder = "@OFFSET@";
  const fixed = template.length - placeholder.length;
  let offset = fixed + 1;
  while (fixed + `${offset}`.length + 1 !== offset) offset++;
  return new TextEncoder().encode(template.replace(placeholder, `${offset}`));
}

/** A compressed tar archive in which nothing tells of this machine, user or day. */
async function pack(directory: string, names: string[]): Promise<Uint8Array<ArrayBuffer>> {
  for (const name of names) {
    await Deno.chmod(`${directory}/${name}`, EXECUTABLE.includes(name) ? 0o755 : 0o644);
  }
  const words = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  const tar = new Deno.Command("tar", {
    args: ["-c", "--format=ustar", ...words, "-C", directory, ...names],
    stdout: "piped",
  }).spawn();
  const gzip = new Deno.Command("gzip", { args: ["-n", "-6"], stdin: "piped", stdout: "piped" })
    .spawn();
  const [, packed, { success }] = await Promise.all([
    tar.stdout.pipeTo(gzip.stdin),
    new Response(gzip.stdout).bytes(),
    tar.status,
  ]);
  if (!success || !(await gzip.status).success) throw new Error("cannot pack the archive");
  return packed;
}

/** sha256 in hex. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
