/**
 * What a test or a whole run left behind on the machine, found by the name that everything it made
 * carries, and its removal.
 */

/** Something that should not be there any more. */
export interface Leftover {
  readonly kind: "process" | "mount" | "cgroup" | "file" | "interface" | "table";
  /** A pid with its command line, a mount point, a path, a link's or an nftables table's name. */
  readonly what: string;
  /** For a process. */
  readonly pid?: number;
}

/** All that carries `name`, children first; waits up to `graceMs` for it to go by itself. */
export async function leftovers(name: string, graceMs = 2000): Promise<Leftover[]> {
  const deadline = performance.now() + graceMs;
  while (true) {
    const found = [...processes(name), ...mounts(name), ...cgroups(name)];
    if (found.length === 0 || performance.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Kills, unmounts and removes all that carries `name`, and the directories given. */
export async function removeLeftovers(name: string, directories: string[]): Promise<void> {
  for (let attempt = 0; attempt < 40; attempt++) {
    for (const { pid } of processes(name)) kill(pid ?? 0);
    for (const { what } of mounts(name).reverse()) run("umount", "-l", what);
    for (const { what } of cgroups(name)) attemptTo(() => Deno.removeSync(what));
    if ((await leftovers(name, 0)).length === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const directory of directories) {
    // Never below a mount that is still there: it may be a directory of the host's.
    if (mounts(directory).length === 0) {
      attemptTo(() => Deno.removeSync(directory, { recursive: true }));
    }
  }
}

/**
 * What the program may leave that carries no test's name: links and nftables tables that look like
 * its own, and its control groups that hold no process. To be compared before and after.
 */
export function unnamedObjects(): Leftover[] {
  const links = [...Deno.readDirSync("/sys/class/net")].map((entry) => entry.name);
  const tables = run("nft", "list", "tables").split("\n");
  const isEmpty = ({ what }: Leftover) =>
    attemptTo(() => Deno.readTextFileSync(`${what}/cgroup.procs`)) === "";
  return [
    ...links.filter(isOwn).map((what) => ({ kind: "interface" as const, what })),
    ...tables.filter(isOwn).map((what) => ({ kind: "table" as const, what })),
    // The group that holds all of the program's may stay.
    ...cgroups("minictr").filter(({ what }) => !what.endsWith("/minictr")).filter(isEmpty),
  ];
}

/** What is in a directory. */
export function filesIn(directory: string): Leftover[] {
  const entries = attemptTo(() => [...Deno.readDirSync(directory)]) ?? [];
  return entries.map(({ name }) => ({ kind: "file", what: `${directory}/${name}` }));
}

/** One line each. */
export function describe(found: Leftover[]): string {
  return found.map(({ kind, what }) => `  ${kind} ${what}`).join("\n");
}

function isOwn(name: string): boolean {
  return /minictr|^mct/.test(name);
}

/**
 * Processes that have the name in their environment or command line, or, when they live in a mount
 * namespace of their own, in their control groups or mounts. Not this one and its ancestors.
 */
function processes(name: string): Leftover[] {
  const found: Leftover[] = [];
  const spared = ancestors();
  const ownMounts = attemptTo(() => Deno.readLinkSync("/proc/self/ns/mnt"));
  for (const { name: entry } of Deno.readDirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || spared.has(pid)) continue;
    const read = (file: string) =>
      attemptTo(() => Deno.readTextFileSync(`/proc/${pid}/${file}`)) ?? "";
    const isContained = () =>
      attemptTo(() => Deno.readLinkSync(`/proc/${pid}/ns/mnt`)) !== ownMounts;
    const command = read("cmdline");
    const isMarked = read("environ").includes(name) || command.includes(name) ||
      read("cgroup").includes(name) || (isContained() && read("mountinfo").includes(name));
    if (!isMarked || / Z /.test(read("stat"))) continue;
    found.push({ kind: "process", what: `${pid} ${command.replaceAll("\0", " ").trim()}`, pid });
  }
  return found;
}

function ancestors(): Set<number> {
  const pids = new Set<number>();
  for (let pid = Deno.pid; pid > 0 && !pids.has(pid);) {
    pids.add(pid);
    const status = attemptTo(() => Deno.readTextFileSync(`/proc/${pid}/status`)) ?? "";
    pid = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return pids;
}

/** Mount points, in the order of /proc/self/mountinfo, whose line holds the name. */
function mounts(name: string): Leftover[] {
  return mountLines().filter((line) => line.includes(name)).map((line) => ({
    kind: "mount",
    what: unescape(line.split(" ")[4] ?? ""),
  }));
}

/** Directories of every hierarchy, children first. */
function cgroups(name: string): Leftover[] {
  const found: Leftover[] = [];
  const visit = (directory: string, depth: number) => {
    for (const entry of attemptTo(() => [...Deno.readDirSync(directory)]) ?? []) {
      if (!entry.isDirectory || depth > 8) continue;
      const child = `${directory}/${entry.name}`;
      visit(child, depth + 1);
      if (child.includes(name)) found.push({ kind: "cgroup", what: child });
    }
  };
  const isGroup = (line: string) => / - cgroup2? /.test(line);
  for (const line of mountLines().filter(isGroup)) visit(line.split(" ")[4] ?? "", 0);
  return found;
}

function mountLines(): string[] {
  return Deno.readTextFileSync("/proc/self/mountinfo").trimEnd().split("\n");
}

/** proc_pid_mountinfo(5): blanks and the like are written as three octal digits. */
function unescape(path: string): string {
  return path.replace(/\\(\d{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

function kill(pid: number): void {
  attemptTo(() => Deno.kill(pid, "SIGKILL"));
}

function run(command: string, ...args: string[]): string {
  const output = attemptTo(() => new Deno.Command(command, { args, stderr: "null" }).outputSync());
  return new TextDecoder().decode(output?.stdout);
}

function attemptTo<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined; // Processes, mounts and groups come and go while they are looked at.
  }
}
