/**
 * A root filesystem from the host's own programs: a shell, useful tools, and the libraries that they name.
 *
 * @module
 */
import { librariesOf } from "../src/image/mod.ts";
import { CopiedTree } from "./copied_tree.ts";
import { type Recipe, RecipeError } from "./recipe.ts";
import { makeDirectories, writeEtc } from "./skeleton.ts";

/** Which programs. */
export interface HostOptions {
  /** More programs, by name or path, besides `TOOLS`. */
  programs?: string[];
}

const SEARCH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Taken where the host has them; without `sh` there is no root filesystem. */
const TOOLS = (
  "sh bash awk basename cat chgrp chmod chown chroot cksum clear cmp comm cp cut date dd df diff dirname dmesg " +
  "du echo env expr false find findmnt free getent grep groups gzip head hostname id ip kill less ln logname " +
  "ls lsblk md5sum mkdir mkfifo mknod mktemp more mount mountpoint mv nice nohup nproc nsenter od paste pgrep " +
  "ping pkill printenv printf ps pwd readlink realpath renice rm rmdir sed seq setpriv sha256sum sleep sort " +
  "split ss stat stty su sync tac tail tar tee test timeout top touch tr true truncate tty umount uname uniq " +
  "unshare uptime watch wc which whoami xargs yes"
).split(" ");

/** Loaded by name while a program runs, so no header names them: user and host names, characters sets. */
const LOADED_LATER = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

/** Fills `tree` with the host's programs. */
export const host: Recipe<HostOptions> = (tree, { programs = [] }, onProgress) => {
  const copy = new CopiedTree(tree);
  const wanted = [...programs, ...TOOLS];
  wanted.forEach((name, done) => {
    onProgress({ step: `copy ${name}`, done, total: wanted.length, unit: "files" });
    const path = name.startsWith("/") ? name : find(name, SEARCH);
    if (path !== undefined) copyProgram(copy, path);
    else if (name === "sh" || programs.includes(name)) {
      throw new RecipeError(`cannot copy "${name}": the host has no such program`);
    }
  });
  copyLoadedLater(copy);
  makeDirectories(tree);
  if (copy.mergedUsr()) makeMergedUsr(tree);
  writeEtc(tree, { id: "host", name: "Programs of the host", version: hostVersion() });
  return Promise.resolve({ source: "the host's programs" });
};

/** Copies a program, what its `#!` line starts, and its libraries. */
function copyProgram(copy: CopiedTree, path: string, depth = 0): void {
  const real = copy.add(path);
  if (real === undefined) return;
  const interpreter = shebang(real);
  if (interpreter !== undefined && depth < 4) { // The kernel follows as many; execve(2).
    copyProgram(copy, interpreter, depth + 1);
    return;
  }
  const { paths, missing } = librariesOf(real);
  if (missing.length > 0) {
    throw new RecipeError(
      `cannot copy "${path}": its libraries ${missing.join(", ")} are not here`,
    );
  }
  for (const library of paths) copy.add(library);
}

/** The NSS modules of glibc, from where libc itself was found. */
function copyLoadedLater(copy: CopiedTree): void {
  const libc = copy.paths().find((path) => /\/libc\.so\.6$/.test(path));
  if (libc === undefined) return;
  const directory = libc.slice(0, libc.lastIndexOf("/"));
  for (const name of LOADED_LATER) {
    const path = find(name, [directory]);
    if (path !== undefined) copyProgram(copy, path);
  }
}

/** The names that a merged /usr has on every machine, used or not. */
function makeMergedUsr(tree: string): void {
  for (const name of ["bin", "sbin", "lib"]) {
    Deno.mkdirSync(`${tree}/usr/${name}`, { recursive: true });
    try {
      Deno.symlinkSync(`usr/${name}`, `${tree}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

function find(name: string, directories: string[]): string | undefined {
  return directories.map((directory) => `${directory}/${name}`).find((path) => {
    try {
      const { isFile, mode } = Deno.statSync(path);
      return isFile && ((mode ?? 0) & 0o444) !== 0;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        return false;
      }
      throw error;
    }
  });
}

/** The program after `#!`, when the file is a script; execve(2). */
function shebang(path: string): string | undefined {
  using file = Deno.openSync(path);
  const start = new Uint8Array(256);
  const text = new TextDecoder().decode(start.subarray(0, file.readSync(start) ?? 0));
  return /^#![ \t]*(\/[^ \t\n]+)/.exec(text)?.[1];
}

function hostVersion(): string {
  try {
    const text = Deno.readTextFileSync("/etc/os-release");
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? "unknown";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}
