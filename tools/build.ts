/**
 * Makes what is given to users, in dist/:
 *
 *     deno run -A tools/build.ts [OPTION]… [bundle|compiled|portable]…
 *
 * - `minictr.js`: the program as one file, for a Deno that is there
 * - `minictr`: one executable, by `deno compile`; where the base that this needs can neither be
 *   downloaded nor is named in DENORT_BIN, a portable one that carries Deno itself
 * - `rootfs.tar.gz`: the root filesystem that the program is shipped with; it is in both executables
 * - `minictr.spdx.json`: what the executable is made of; `sha256sums`: checksums of all of these
 *
 * Without a word: the bundle, and the executable in whichever way is possible. Options:
 *
 * - `--target x86_64|aarch64`: for another machine, into dist/TARGET
 * - `--deno VERSION|FILE`: the Deno that is carried along, otherwise the one that runs this
 * - `--busybox FILE`: a static busybox of the target, otherwise the host's, or Debian's package
 * - `--to DIRECTORY`: elsewhere
 *
 * The same source, Deno and busybox give the same bytes wherever and whenever they are built.
 */
import { bill, busyboxPart, denoParts, npmParts } from "./build/bill.ts";
import { bundle } from "./build/bundle.ts";
import { digestOf, makePortable } from "./build/portable.ts";
import { makePrograms } from "./build/programs.ts";
import { packRoot } from "./build/root.ts";
import { compile, denoFor, isTarget, output, type Target } from "./build/target.ts";
import { PACKED } from "../rootfs/mod.ts";
import { ROOT } from "./source.ts";
import { VERSION } from "../src/cli/version.ts";

/** What the command line asks for. */
interface Order {
  words: string[];
  target: Target;
  to: string;
  deno: string | undefined;
  busybox: string | undefined;
}

/** An executable, and what is in it besides the program. */
interface Made {
  denoVersion: string;
}

async function main(args: readonly string[]): Promise<void> {
  const order = orderOf(args);
  const { words, to, target, busybox } = order;
  await Deno.mkdir(to, { recursive: true });
  const wants = (word: string) => words.length === 0 || words.includes(word);
  const scratch = await Deno.makeTempDir({ prefix: "minictr-build-" });
  try {
    await bundle(`${ROOT}main.ts`, `${to}/minictr.js`);
    await tell(`${to}/minictr.js`, "the program as one file");
    if (!wants("compiled") && !wants("portable")) return;
    const busyboxVersion = await packRoot(`${to}/${PACKED}`, { target, busybox, scratch });
    await tell(`${to}/${PACKED}`, `busybox ${busyboxVersion}`);
    const made = wants("compiled") && await compiled(order) ||
      wants("portable") && await portable(order, scratch);
    if (made) await writeBill(order, made, busyboxVersion);
    await writeChecksums(to);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

function orderOf(args: readonly string[]): Order {
  const rest = [...args];
  const option = (name: string) => {
    const at = rest.indexOf(`--${name}`);
    return at < 0 ? undefined : rest.splice(at, 2)[1];
  };
  const target = option("target") ?? Deno.build.arch;
  if (!isTarget(target)) throw new Error(`--target is x86_64 or aarch64, not "${target}"`);
  const place = target === Deno.build.arch ? `${ROOT}dist` : `${ROOT}dist/${target}`;
  const order = {
    target,
    to: option("to") ?? place,
    deno: option("deno"),
    busybox: option("busybox"),
    words: rest,
  };
  const odd = rest.find((word) => !["bundle", "compiled", "portable"].includes(word));
  if (odd !== undefined) throw new Error(`cannot build "${odd}"`);
  return order;
}

/** What `deno compile` makes, or undefined where it cannot; it fails fast where nothing can be
 * reached. */
async function compiled({ words, target, to }: Order): Promise<Made | undefined> {
  try {
    await compile(`${to}/minictr.js`, [`${to}/${PACKED}`], { target, to: `${to}/minictr` });
  } catch (error) {
    if (words.includes("compiled")) throw error;
    const why = error instanceof Error ? error.message : String(error);
    console.log(`deno compile cannot be used here (${why}): DENORT_BIN can name its base`);
    return undefined;
  }
  await tell(`${to}/minictr`, "compiled");
  return { denoVersion: Deno.version.deno };
}

async function portable({ target, to, deno }: Order, scratch: string): Promise<Made> {
  const carried = await denoFor(target, deno, scratch);
  const programs = `${scratch}/programs`;
  await Deno.mkdir(programs);
  await makePrograms(programs);
  await Deno.copyFile(`${to}/${PACKED}`, `${programs}/${PACKED}`);
  await Deno.copyFile(`${ROOT}NOTICE.md`, `${programs}/NOTICE.md`);
  await makePortable({ deno: carried.path, machine: target, programs }, `${to}/minictr`);
  await tell(`${to}/minictr`, `portable: it carries Deno ${carried.version} for ${target}`);
  return { denoVersion: carried.version };
}

async function writeBill(
  { target, to }: Order,
  { denoVersion }: Made,
  busyboxVersion: string,
): Promise<void> {
  const whole = {
    version: VERSION,
    architecture: target,
    sha256: await digestOf(await Deno.readFile(`${to}/minictr`)),
    createdSeconds: await sourceSeconds(),
  };
  const parts = [...denoParts(denoVersion), busyboxPart(busyboxVersion), ...await npmParts()];
  await Deno.writeTextFile(`${to}/minictr.spdx.json`, bill(whole, parts));
  await tell(`${to}/minictr.spdx.json`, `${parts.length} parts of others`);
}

/** The time of the source, not of the build: SOURCE_DATE_EPOCH, or the last commit's. */
async function sourceSeconds(): Promise<number> {
  const named = Deno.env.get("SOURCE_DATE_EPOCH");
  if (named !== undefined) return Number(named);
  return Number(await output(["git", "log", "-1", "--format=%ct"], ROOT).catch(() => "0"));
}

/** As sha256sum(1) prints and checks them. */
async function writeChecksums(to: string): Promise<void> {
  const names = Array.from(Deno.readDirSync(to)).filter(({ isFile }) => isFile)
    .map(({ name }) => name).filter((name) => name !== "sha256sums").sort();
  const lines = await Promise.all(
    names.map(async (name) => `${await digestOf(await Deno.readFile(`${to}/${name}`))}  ${name}\n`),
  );
  await Deno.writeTextFile(`${to}/sha256sums`, lines.join(""));
}

async function tell(path: string, what: string): Promise<void> {
  const { size } = await Deno.stat(path);
  const text = size < 1e5 ? `${(size / 1e3).toFixed(1)} kB` : `${(size / 1e6).toFixed(1)} MB`;
  console.log(`${path.replace(ROOT, "")}   ${text}   ${what}`);
}

if (import.meta.main) await main(Deno.args);
