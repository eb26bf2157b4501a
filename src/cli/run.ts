import { BUILTIN, builtinRootfs, storedRootfs, treeOf } from "../image/builtin.ts";
import { isTerminal, notice, terminalSize } from "../container/console.ts";
import type { RunOptions } from "../container/make.ts";
import { runContainer } from "../container/run.ts";
import { type Roots, rootsBelow, stateDirectory } from "../container/state.ts";
import type { RootSource } from "../plan/mod.ts";
import type { Spec } from "../spec/mod.ts";
import { type CommandLine, parseCommandLine } from "./grammar.ts";
import { hostLookups } from "./host.ts";
import { RUN } from "./run_flags.ts";
import { type RunSpec, specFromFlags } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";

/** A command line of `run`. */
export type Line = CommandLine<typeof RUN>;

/** A container to be run: its spec, and what the engine does about it. */
export interface Wanted {
  spec: Spec;
  options: RunOptions;
  /** Made by flags, not read from a bundle. */
  made?: RunSpec;
}

/**
 * `minictr run`: a command in a new container, in the foreground.
 *
 * @returns the exit status of the container, as a shell shows it
 */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const roots = rootsBelow(root);
  const line = parseCommandLine(RUN, args);
  if (line.help) {
    console.log((await import("./help.ts")).helpText(RUN));
    return 0;
  }
  const { flags } = line;
  if (Deno.uid() !== 0 && !flags["print-spec"] && !flags.explain) {
    throw new UsageError(
      "running a container needs root: `sudo minictr run …`; --explain does not",
    );
  }
  const wanted = flags.bundle === undefined
    ? await fromFlags(line, roots)
    : await (await import("./bundle.ts")).fromBundle(line, flags.bundle, roots, newId());
  if (flags["print-spec"]) {
    console.log(await (await import("../spec/mod.ts")).printSpec(wanted.spec));
    return 0;
  }
  if (flags.explain) {
    const { printPlan, printSupervised } = await import("./explain.ts");
    return wanted.made && isKept(line)
      ? await printSupervised(wanted.options, wanted.made, flags.json)
      : await printPlan(wanted.spec, wanted.options, flags.json);
  }
  if (flags.trace) {
    const { traceTo } = await import("./trace.ts");
    wanted.options.trace = traceTo(flags.json);
  }
  const options = { ...wanted.options, onNotice: notice };
  if (wanted.made && isKept(line)) {
    return await (await import("./detach.ts")).runSupervised(options, wanted.made);
  }
  return await runContainer(wanted.spec, options);
}

/** Whether a container has a supervisor: it is not taken away at its end, or need not end with minictr. */
function isKept({ flags, given, groups }: Line): boolean {
  return flags.detach || !flags.rm || given.has("detach-keys") || groups.has("log") ||
    groups.has("lasting");
}

/** The container that the flags of `run` or `create` ask for. */
export async function fromFlags(line: Line, roots: Roots): Promise<Wanted & { made: RunSpec }> {
  const { flags } = line;
  const id = newId();
  const { root, command, image } = await rootOf(line, roots, id);
  // A layer that is to be mounted again must have been synced.
  if (root.kind === "overlay") root.volatile = flags.rm;
  const shell = command.length === 0 && flags.entrypoint === undefined;
  const onTerminal = shell && !line.given.has("interactive") && !line.given.has("tty") &&
    isTerminal(0) && isTerminal(1);
  const shown = onTerminal ? { ...line, flags: { ...flags, interactive: true, tty: true } } : line;
  const made = await specFromFlags(shown, {
    ...hostLookups(roots),
    id,
    root: { path: root.kind === "directory" ? root.path : root.lower[0] ?? "" },
    command: shell ? ["sh"] : command,
  });
  for (const warning of made.warnings) notice(warning);
  const { spec, engine } = made;
  // With --ipc host: what the host itself does not have mounted is not there either.
  spec.mounts = spec.mounts.filter(({ source }) => source !== "/dev/mqueue" || isDirectory(source));
  await become(made, root);
  clampDefaultLimits(spec, flags.ulimit);
  const filter = await filterFor(made);
  if (engine.tty) {
    const size = isTerminal(1) ? terminalSize(1) : undefined;
    if (size) spec.process.consoleSize = size;
  }
  const { etcFiles, networkRequest } = await import("./surroundings.ts");
  const name = engine.name ?? (await import("../container/name.ts")).madeUpName();
  const network = await networkRequest(made, id, name);
  const options: RunOptions = {
    id,
    name,
    named: engine.name !== undefined,
    roots,
    root,
    image,
    labels: engine.labels,
    interactive: engine.interactive || onTerminal,
    ...filter,
    ...engine.timeoutMs === undefined ? {} : { timeoutMs: engine.timeoutMs },
    init: engine.init,
    mapRoot: true,
    // The files are this engine's: what is printed is a spec for any runtime.
    ...flags["print-spec"] ? {} : { etc: etcFiles(spec, made, stateDirectory(roots, id)) },
    ...network ? { network } : {},
    createSources: engine.createSources,
    ...engine.volumes.length > 0 ? { volumes: engine.volumes } : {},
    quiet: flags.quiet,
    ...engine.cidfile === undefined ? {} : { cidfile: engine.cidfile },
    ...engine.pidfile === undefined ? {} : { pidfile: engine.pidfile },
  };
  return { spec, options, made };
}

/** The root filesystem that a command line means, as it names it, and the words of the command. */
async function rootOf(
  { flags, operands }: Line,
  roots: Roots,
  id: string,
): Promise<{ root: RootSource; command: readonly string[]; image: string }> {
  if (flags.rootfs !== undefined) {
    const image = flags.rootfs;
    return { root: directoryRoot(image, roots, id), command: operands, image };
  }
  const [first, ...rest] = operands;
  if (first !== undefined && isDirectory(first.replace(/:O$/, ""))) {
    return { root: directoryRoot(first, roots, id), command: rest, image: first };
  }
  const stored = first === undefined ? undefined : knownRootfs(roots, first);
  if (first !== undefined && stored !== undefined) {
    return { root: overlayOn(stored, roots, id), command: rest, image: first };
  }
  const root = overlayOn(await builtin(flags, roots), roots, id);
  return { root, command: operands, image: BUILTIN };
}

/** The built-in root filesystem, built when it is needed first; only named if nothing is to be done. */
async function builtin(flags: Line["flags"], roots: Roots): Promise<string> {
  if (flags.explain || flags["print-spec"]) return treeOf(roots.data, BUILTIN);
  return builtinRootfs(roots.data) ??
    await (await import("./first_rootfs.ts")).buildFirst(roots.data);
}

function directoryRoot(text: string, roots: Roots, id: string): RootSource {
  const overlay = text.endsWith(":O");
  const given = overlay ? text.slice(0, -2) : text;
  let path: string;
  try {
    path = Deno.realPathSync(given);
  } catch (cause) {
    throw new UsageError(`the root filesystem "${given}" does not exist`, { cause });
  }
  if (!isDirectory(path)) throw new UsageError(`the root filesystem "${given}" is no directory`);
  return overlay ? overlayOn(path, roots, id) : { kind: "directory", path };
}

function overlayOn(lower: string, roots: Roots, id: string): RootSource {
  const layer = `${roots.data}/containers/${id}`;
  return {
    kind: "overlay",
    lower: [lower],
    upper: `${layer}/upper`,
    work: `${layer}/work`,
    volatile: true,
  };
}

/** A stored root filesystem of that name; none where the store may not be looked into. */
function knownRootfs(roots: Roots, name: string): string | undefined {
  try {
    return storedRootfs(roots.data, name);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Who the process is to be is looked up in the root, unless it is the root that all roots have. */
async function become({ spec, user, groups }: RunSpec, root: RootSource): Promise<void> {
  const { process } = spec;
  const hasHome = process.env.some((entry) => entry.startsWith("HOME="));
  if (user.user === undefined && user.group === undefined && groups.length === 0) {
    if (!hasHome) process.env.push("HOME=/root");
    return;
  }
  const { resolveUser } = await import("../container/users.ts");
  const layers = root.kind === "directory" ? [root.path] : root.lower;
  const resolved = resolveUser(layers, user, groups, process.user);
  process.user = resolved.user;
  if (!hasHome) process.env.push(`HOME=${resolved.home}`);
}

/** A default limit is not above what the caller may give; one that was asked for fails there. */
function clampDefaultLimits(spec: RunSpec["spec"], asked: readonly string[]): void {
  const { process } = spec;
  if (asked.some((text) => text.startsWith("nofile="))) return;
  const hard = Number(
    /^Max open files +\S+ +(\S+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))?.[1],
  );
  process.rlimits =
    process.rlimits?.map((limit) =>
      limit.type === "RLIMIT_NOFILE" && hard < Number(limit.hard)
        ? { ...limit, hard, soft: Math.min(Number(limit.soft), hard) }
        : limit
    ) ?? [];
}

async function filterFor({ spec, seccomp }: RunSpec): Promise<Pick<RunOptions, "seccomp">> {
  if (seccomp === "unconfined") return {};
  const { profileFor } = await import("./seccomp.ts");
  const profile = await profileFor(seccomp, spec);
  if (profile) spec.linux.seccomp = profile;
  return filterOf(spec);
}

async function filterOf(spec: Spec): Promise<Pick<RunOptions, "seccomp">> {
  if (!spec.linux?.seccomp) return {};
  return { seccomp: await (await import("./seccomp.ts")).filterOf(spec.linux.seccomp) };
}

/** 64 hexadecimal digits that no other container has. */
function newId(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}
