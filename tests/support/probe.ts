/**
 * What a container's process sees of itself: `/bin/probe` of testRootfs() prints it, from busybox's
 * shell and /proc alone, and `parseProbe` reads it. Any runtime can run it, so that a test of what a
 * container should be is itself tested with another runtime.
 */

/** One run of /bin/probe. */
export interface Probe {
  readonly pid: number;
  readonly hostname: string;
  readonly cwd: string;
  /** Octal, as umask(1p) prints it: "0022". */
  readonly umask: string;
  /** Real, effective, saved and file system ids. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  /** Masks of capabilities(7), 16 hexadecimal digits each. */
  readonly capabilities: Record<"Inh" | "Prm" | "Eff" | "Bnd" | "Amb", string>;
  readonly noNewPrivileges: boolean;
  /** 0 disabled, 1 strict, 2 filter. */
  readonly seccomp: number;
  readonly environment: Record<string, string>;
  /** By its name in /proc/PID/limits ("Max open files"): soft and hard, as printed there. */
  readonly limits: Record<string, readonly [soft: string, hard: string]>;
  readonly oomScoreAdj: number;
  readonly mounts: readonly ProbeMount[];
  /** By its name in /proc/PID/ns: "mnt:[4026531841]". */
  readonly namespaces: Record<string, string>;
  /** Descriptor to what it is open on; without the shell's own descriptor of the script. */
  readonly fds: Record<number, string>;
  readonly processes: readonly number[];
  /** Of the network namespace that /sys belongs to; empty without /sys. */
  readonly links: readonly string[];
  /** Lines of /proc/PID/cgroup. */
  readonly cgroups: readonly string[];
  /** Names in / and in /dev. */
  readonly root: readonly string[];
  readonly dev: readonly string[];
}

/** A line of proc_pid_mountinfo(5). */
export interface ProbeMount {
  /** What of the file system is mounted: "/" is all of it. */
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** Reads what /bin/probe printed. @throws {Error} if it did not print all. */
export function parseProbe(text: string): Probe {
  const sections = split(text);
  const lines = (name: string) => sections.get(name) ?? [];
  const first = (name: string) => lines(name)[0] ?? "";
  const status = pairs(lines("status"), /^(\w+):\s*(.*)$/);
  const numbers = (name: string) => (status[name] ?? "").split(/\s+/).filter(Boolean).map(Number);
  const mask = (name: string) => status[`Cap${name}`] ?? "";
  const all = Object.entries(pairs(lines("fds"), /(\d+) -> (.*)$/));
  return {
    pid: Number(first("pid")),
    hostname: first("hostname"),
    cwd: first("cwd"),
    umask: first("umask"),
    uids: numbers("Uid"),
    gids: numbers("Gid"),
    groups: numbers("Groups"),
    capabilities: {
      Inh: mask("Inh"),
      Prm: mask("Prm"),
      Eff: mask("Eff"),
      Bnd: mask("Bnd"),
      Amb: mask("Amb"),
    },
    noNewPrivileges: status["NoNewPrivs"] === "1",
    seccomp: Number(status["Seccomp"]),
    environment: pairs(lines("environment"), /^([^=]+)=(.*)$/),
    limits: limits(lines("limits")),
    oomScoreAdj: Number(first("oom_score_adj")),
    mounts: lines("mounts").map(mount),
    namespaces: pairs(lines("namespaces"), /(\w+) -> (\w+:\[\d+\])$/),
    fds: Object.fromEntries(all.filter(([, target]) => !target.endsWith("/bin/probe"))),
    processes: lines("processes").map(Number),
    links: lines("links"),
    cgroups: lines("cgroup"),
    root: names(lines("root")),
    dev: names(lines("dev")),
  };
}

function split(text: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  for (const part of text.split(/^### /m).slice(1)) {
    const [name = "", ...lines] = part.trimEnd().split("\n");
    sections.set(name, lines);
  }
  if (!sections.has("end")) throw new Error(`the probe did not end; it printed "${text}"`);
  return sections;
}

function pairs(lines: readonly string[], pattern: RegExp): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = pattern.exec(line) ?? [];
    if (name !== undefined && value !== undefined) found[name] = value.trim();
  }
  return found;
}

/** "Max open files            1024                 524288               files" */
function limits(lines: readonly string[]): Record<string, readonly [string, string]> {
  const found: Record<string, readonly [string, string]> = {};
  for (const line of lines.slice(1)) {
    const [name = "", soft = "", hard = ""] = line.split(/\s{2,}/);
    found[name] = [soft, hard];
  }
  return found;
}

/** "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
function mount(line: string): ProbeMount {
  const [before = "", after = ""] = line.split(" - ");
  const [, , , root = "", point = "", options = ""] = before.split(" ");
  const [type = "", source = "", superOptions = ""] = after.split(" ");
  return {
    root,
    point,
    options: options.split(","),
    type,
    source,
    superOptions: superOptions.split(","),
  };
}

function names(lines: readonly string[]): string[] {
  return lines.filter((name) => name !== "." && name !== "..");
}
