/**
 * A Debian (or a relative of it) by debootstrap(8), from the mirror that this machine's apt uses.
 *
 * @module
 */
import { type AptSource, aptSources, sourceFor } from "./apt_sources.ts";
import { runProgram } from "./program.ts";
import { type OnProgress, type Progress, type Recipe, RecipeError } from "./recipe.ts";

/** Which Debian. */
export interface DebootstrapOptions {
  /** As `bookworm`; this machine's own where none is named. */
  suite?: string;
  /** Address of the archive; otherwise what apt is configured for. */
  mirror?: string;
  /** Packages besides the minimal ones. */
  include?: string[];
}

const TIMEOUT_MS = 3_600_000;

/** Fills `tree` with a minimal Debian. */
export const debootstrap: Recipe<DebootstrapOptions> = async (tree, options, onProgress) => {
  const sources = aptSources();
  const suite = options.suite ?? hostSuite();
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(suite)) {
    throw new RecipeError(`"${suite}" cannot be the name of a suite`);
  }
  const source = sourceFor(suite, sources);
  const mirror = options.mirror ?? source?.uri;
  // It mounts /proc and /sys in the tree: in a mount namespace of its own they go with it, however it ends.
  const alone = ["unshare", "--mount", "--propagation", "private"];
  const args = debootstrapArguments(tree, suite, mirror, source, options);
  await runProgram([...alone, "debootstrap", ...args], {
    timeoutMs: TIMEOUT_MS,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    onLine: progressReader(onProgress),
  });
  tidy(tree);
  return { source: `${suite} by debootstrap` };
};

function debootstrapArguments(
  tree: string,
  suite: string,
  mirror: string | undefined,
  source: AptSource | undefined,
  { mirror: given, include = [] }: DebootstrapOptions,
): string[] {
  const keyring = given === undefined ? source?.signedBy : undefined;
  return [
    "--variant=minbase",
    ...(keyring === undefined ? [] : [`--keyring=${keyring}`]),
    ...(include.length === 0 ? [] : [`--include=${include.join(",")}`]),
    suite,
    tree,
    ...(mirror === undefined ? [] : [mirror]), // Without one, debootstrap has its own.
  ];
}

/** debootstrap's lines as steps: it retrieves, validates, extracts, unpacks and configures each package. */
export function progressReader(onProgress: OnProgress): (line: string) => void {
  let done = 0;
  let total: number | undefined;
  let verb = "";
  const counted = new Map<string, number>();
  return (line) => {
    const match = /^I: (Retrieving|Extracting|Unpacking|Configuring) (\S+?)(?:\.\.\.)?(?: |$)/.exec(
      line,
    );
    if (!match) return;
    const [, next = "", name = ""] = match;
    if (next !== verb) {
      // As many packages are unpacked and configured as were retrieved.
      if (verb !== "") counted.set(verb, Math.max(done, counted.get(verb) ?? 0));
      total = next === "Retrieving" ? undefined : counted.get("Retrieving");
      done = counted.get(next) ?? 0;
      verb = next;
    }
    done++;
    const progress: Progress = { step: `${next.toLowerCase()} ${name}`, done, unit: "packages" };
    onProgress(total === undefined ? progress : { ...progress, total: Math.max(total, done) });
  };
}

/** Removes what belongs to the build: downloaded packages, lists, and the host's name and resolver. */
function tidy(tree: string): void {
  for (const directory of ["var/cache/apt/archives", "var/lib/apt/lists"]) {
    empty(`${tree}/${directory}`);
  }
  for (const file of ["etc/hostname", "etc/resolv.conf", "var/log/bootstrap.log"]) {
    // By name, not through it: it may be a link.
    remove(`${tree}/${file}`);
  }
  Deno.writeTextFileSync(`${tree}/etc/hostname`, "localhost\n", { createNew: true });
  Deno.writeTextFileSync(`${tree}/etc/resolv.conf`, "", { createNew: true });
}

function empty(directory: string): void {
  for (const { name, isFile } of Deno.readDirSync(directory)) {
    if (isFile && name !== "lock") Deno.removeSync(`${directory}/${name}`);
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function hostSuite(): string {
  const text = Deno.readTextFileSync("/etc/os-release");
  const suite = /^VERSION_CODENAME="?([^"\n]+)/m.exec(text)?.[1];
  if (!suite) throw new RecipeError("this machine has no VERSION_CODENAME: name a suite");
  return suite;
}
