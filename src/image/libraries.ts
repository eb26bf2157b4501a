/**
 * Which files a dynamically linked program needs, found as ld.so(8) would find them, without running anything.
 *
 * @see ld.so(8), ldconfig(8)
 * @module
 */
import { type Elf, readElfFile } from "./elf.ts";

/** A program's libraries and interpreter as absolute paths on the host, in the order found. */
export interface Libraries {
  paths: string[];
  /** Names that no searched directory holds. */
  missing: string[];
}

/** GNU's name of the machine, which Debian's multiarch directories carry. */
const TRIPLET: Readonly<Record<number, string>> = {
  3: "i386-linux-gnu",
  40: "arm-linux-gnueabihf",
  62: "x86_64-linux-gnu",
  183: "aarch64-linux-gnu",
  243: "riscv64-linux-gnu",
};

/** The machine's name in musl's search path file, `/etc/ld-musl-ARCH.path`. */
const MUSL_ARCH: Readonly<Record<number, string>> = { 62: "x86_64", 183: "aarch64" };

const INCLUDE_DEPTH_MAX = 8;

/**
 * Follows DT_NEEDED from `program` through every library that it names.
 *
 * The order is ld.so's: DT_RPATH of the object and of those that load it (only while the object has no
 * DT_RUNPATH), DT_RUNPATH, the directories of ld.so.conf, the default ones. LD_LIBRARY_PATH is the caller's
 * own and is left aside. Equivalent to `ldd PROGRAM`, except that nothing runs.
 *
 * @throws {Deno.errors.NotFound} when there is no `program`
 */
export function librariesOf(program: string): Libraries {
  const found = new Map<string, string>(); // By the name that asked for it: ld.so loads a name once.
  const missing = new Set<string>();
  const paths = new Set<string>();
  const root = readElfFile(program);
  if (!root) return { paths: [], missing: [] };
  if (root.interpreter) paths.add(root.interpreter);
  const system = systemDirectories(root);
  const queue: Loaded[] = [{ path: program, elf: root, rpaths: [] }];
  for (let object = queue.shift(); object; object = queue.shift()) {
    const { path, elf } = object;
    const rpaths = elf.runpath.length > 0
      ? []
      : [...expand(elf.rpath, path, elf), ...object.rpaths];
    const directories = [...rpaths, ...expand(elf.runpath, path, elf), ...system];
    for (const name of elf.needed) {
      if (found.has(name)) continue;
      const library = findLibrary(name, directories, root);
      if (!library) {
        missing.add(name);
        continue;
      }
      found.set(name, library.path);
      paths.add(library.path);
      queue.push({ ...library, rpaths });
    }
  }
  return { paths: [...paths], missing: [...missing] };
}

interface Loaded {
  path: string;
  elf: Elf;
  /** DT_RPATH directories that this object inherits from those that loaded it. */
  rpaths: string[];
}

/** The first file of that name that is a library for the same machine; others ld.so skips too. */
function findLibrary(
  name: string,
  directories: string[],
  wanted: Elf,
): { path: string; elf: Elf } | undefined {
  const candidates = name.includes("/") ? [name] : directories.map((dir) => `${dir}/${name}`);
  for (const path of candidates) {
    try {
      const elf = readElfFile(path);
      if (elf && elf.bits === wanted.bits && elf.machine === wanted.machine) return { path, elf };
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
  return undefined;
}

/** The directories that ld.so searches for every program, after the program's own. */
export function systemDirectories(elf: Elf): string[] {
  if (elf.interpreter?.includes("/ld-musl-")) return muslDirectories(elf);
  const triplet = TRIPLET[elf.machine];
  const multiarch = triplet ? [`/lib/${triplet}`, `/usr/lib/${triplet}`] : [];
  const wide = elf.bits === 64 ? ["/lib64", "/usr/lib64"] : [];
  return [
    ...new Set([...ldSoConf("/etc/ld.so.conf"), ...multiarch, ...wide, "/lib", "/usr/lib"]),
  ];
}

function muslDirectories(elf: Elf): string[] {
  const listed = readText(`/etc/ld-musl-${MUSL_ARCH[elf.machine]}.path`);
  const directories = listed?.split(/[\n:]/).map((dir) => dir.trim()).filter((dir) => dir !== "");
  return directories ?? ["/lib", "/usr/local/lib", "/usr/lib"];
}

/** The directories of an ld.so.conf, its `include` patterns followed; ldconfig(8). */
export function ldSoConf(path: string, depth = 0): string[] {
  const directories: string[] = [];
  if (depth > INCLUDE_DEPTH_MAX) return directories;
  for (const raw of (readText(path) ?? "").split("\n")) {
    const line = raw.replace(/#.*/, "").trim();
    const include = /^include\s+(.+)$/.exec(line)?.[1];
    if (include !== undefined) {
      const base = path.slice(0, path.lastIndexOf("/"));
      const pattern = include.startsWith("/") ? include : `${base}/${include}`;
      for (const file of matching(pattern)) directories.push(...ldSoConf(file, depth + 1));
    } else if (line.startsWith("/")) {
      directories.push(line.replace(/\s*=.*/, "").replace(/(?<=.)\/+$/, ""));
    }
  }
  return directories;
}

/** Files that match a pattern with `*` in its last component, sorted as glob(3) sorts them. */
function matching(pattern: string): string[] {
  const slash = pattern.lastIndexOf("/");
  const directory = pattern.slice(0, slash);
  const parts = pattern.slice(slash + 1).split("*");
  const expression = parts.map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  const name = new RegExp(`^${expression}$`);
  try {
    return [...Deno.readDirSync(directory)].map((entry) => entry.name)
      .filter((entry) => name.test(entry) && !entry.startsWith("."))
      .sort().map((entry) => `${directory}/${entry}`);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** $ORIGIN, $LIB and $PLATFORM, with or without braces; ld.so(8), "Dynamic string tokens". */
function expand(directories: string[], path: string, elf: Elf): string[] {
  if (directories.length === 0) return [];
  const real = Deno.realPathSync(path);
  const triplet = TRIPLET[elf.machine];
  const tokens: Record<string, string> = {
    ORIGIN: real.slice(0, real.lastIndexOf("/")) || "/",
    LIB: triplet ? `lib/${triplet}` : elf.bits === 64 ? "lib64" : "lib",
    PLATFORM: triplet?.split("-")[0] ?? "",
  };
  return directories.filter((directory) => directory !== "").map((directory) =>
    directory.replace(
      /\$(?:\{(ORIGIN|LIB|PLATFORM)\}|(ORIGIN|LIB|PLATFORM))/g,
      (_, braced, bare) => tokens[braced ?? bare] ?? "",
    )
  );
}

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
