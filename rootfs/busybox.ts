/**
 * The default root filesystem: one static busybox, a link for each of its applets, and a skeleton.
 *
 * @see busybox(1)
 * @module
 */
import { EM_OF_ARCH, isStatic, readElfFile } from "../src/image/mod.ts";
import { runProgram } from "./program.ts";
import { type Cooked, type OnProgress, type Recipe, RecipeError } from "./recipe.ts";
import { makeDirectories, writeEtc } from "./skeleton.ts";

/** Which busybox. */
export interface BusyboxOptions {
  /** A static busybox of this machine's architecture; otherwise the host's, or Debian's package. */
  busybox?: string;
  /** Builds for another machine, as `aarch64`; `busybox` must be given then. */
  architecture?: string;
  /** The words in front of a program of that machine that let it run here. */
  emulator?: readonly string[];
}

/** Where distributions put a static busybox. */
const PLACES = ["/bin/busybox", "/usr/bin/busybox", "/bin/busybox.static", "/sbin/busybox"];
const DOWNLOAD_TIMEOUT_MS = 300_000, RUN_TIMEOUT_MS = 30_000;
const BUSYBOX = "bin/busybox";

/** Fills `tree` with busybox and its applets. */
export const busybox: Recipe<BusyboxOptions> = async (tree, options, onProgress) => {
  makeDirectories(tree);
  for (const path of ["bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin"]) {
    Deno.mkdirSync(`${tree}/${path}`, { recursive: true });
  }
  const source = await placeBusybox(tree, options, onProgress);
  onProgress({ step: "link applets" });
  const program = [...options.emulator ?? [], `${tree}/${BUSYBOX}`];
  const applets = await appletsOf(program);
  for (const applet of applets) linkApplet(tree, applet);
  writeEtc(tree, {
    id: "busybox",
    name: "BusyBox",
    version: await versionOf(program),
  });
  return source;
};

/** Why a file cannot serve as the container's busybox, or `undefined` when it can. */
export function unfit(
  path: string,
  architecture: string = Deno.build.arch,
): string | undefined {
  const elf = readElfFile(path);
  if (!elf) return "it is not an ELF file";
  if (elf.machine !== EM_OF_ARCH[architecture]) {
    return `it is built for another machine (ELF machine ${elf.machine})`;
  }
  if (!isStatic(elf)) return `it is dynamically linked (needs ${elf.needed.join(", ")})`;
  return undefined;
}

async function placeBusybox(
  tree: string,
  { busybox: given, architecture }: BusyboxOptions,
  onProgress: OnProgress,
): Promise<Cooked> {
  if (given !== undefined) {
    const reason = exists(given) ? unfit(given, architecture) : "it is not there";
    if (reason) throw new RecipeError(`cannot use "${given}" as busybox: ${reason}`);
    return copyBusybox(tree, given, given);
  }
  const found = PLACES.find((path) => exists(path) && unfit(path) === undefined);
  if (found !== undefined) return copyBusybox(tree, found, found);
  return await fetchBusybox(tree, onProgress);
}

function copyBusybox(tree: string, from: string, source: string): Cooked {
  Deno.copyFileSync(from, `${tree}/${BUSYBOX}`);
  Deno.chmodSync(`${tree}/${BUSYBOX}`, 0o755); // Never setuid, as some distributions have it.
  return { source };
}

/** Debian's package, from the mirror that apt is configured for, its signature checked by apt. */
async function fetchBusybox(tree: string, onProgress: OnProgress): Promise<Cooked> {
  const scratch = Deno.makeTempDirSync({ prefix: "minictr-busybox-" });
  try {
    onProgress({ step: "download busybox-static" });
    await runProgram(
      ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", "busybox-static"],
      { cwd: scratch, timeoutMs: DOWNLOAD_TIMEOUT_MS },
    );
    const deb = [...Deno.readDirSync(scratch)].find(({ name }) => name.endsWith(".deb"))?.name;
    if (!deb) throw new RecipeError("apt-get has downloaded no busybox-static");
    await runProgram(["dpkg-deb", "-x", deb, "root"], { cwd: scratch, timeoutMs: RUN_TIMEOUT_MS });
    const path = PLACES.map((place) => `${scratch}/root${place}`).find(exists);
    const reason = path === undefined ? "it has no busybox" : unfit(path);
    if (path === undefined || reason) throw new RecipeError(`cannot use "${deb}": ${reason}`);
    return copyBusybox(tree, path, deb);
  } catch (cause) {
    throw new RecipeError(
      "no static busybox here, and none could be fetched: install busybox-static, give one with " +
        "--busybox, or build the root from the host's own programs with " +
        `"minictr rootfs build host": ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
}

/** The paths that busybox would install itself under, as `bin/ls`; without that list, all in bin. */
async function appletsOf(program: readonly string[]): Promise<string[]> {
  const list = await runProgram([...program, "--list-full"], { timeoutMs: RUN_TIMEOUT_MS })
    .catch(() => runProgram([...program, "--list"], { timeoutMs: RUN_TIMEOUT_MS }));
  const applets = list.split("\n").map((line) => line.trim()).filter((line) => line !== "")
    .map((line) => line.includes("/") ? line : `bin/${line}`);
  // As a path: a name that leads elsewhere would be the work of a busybox that is none.
  if (!applets.some((path) => path.endsWith("/sh"))) {
    throw new RecipeError("this busybox has no shell");
  }
  return applets.filter((path) => /^(usr\/)?s?bin\/[^/]+$/.test(path) && path !== BUSYBOX);
}

function linkApplet(tree: string, applet: string): void {
  const up = applet.split("/").slice(1).map(() => "..").join("/");
  const path = `${tree}/${applet}`;
  if (!exists(path)) {
    Deno.symlinkSync(applet.startsWith("bin/") ? "busybox" : `${up}/${BUSYBOX}`, path);
  }
}

/** The first line is `BusyBox v1.35.0 (…) multi-call binary.` */
async function versionOf(program: readonly string[]): Promise<string> {
  const text = await runProgram([...program], { timeoutMs: RUN_TIMEOUT_MS }).catch(() => "");
  return /BusyBox v([\w.]+)/.exec(text)?.[1] ?? "unknown";
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
