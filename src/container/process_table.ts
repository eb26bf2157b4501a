/**
 * The processes of a container as ps(1) shows them, read from /proc without any helper program.
 *
 * @see proc_pid_stat(5), proc_pid_status(5), ps(1)
 * @module
 */

/** A process of a container, as the host sees it. */
export interface Process {
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  uid: number;
  gid: number;
  /** Letter of its state, with what ps adds: "Ss", "R+". */
  state: string;
  /** Name of its terminal, as "pts/0"; "?" for none. */
  tty: string;
  /** Processor time used. */
  cpuMs: number;
  /** Since 1970. */
  startedMs: number;
  nice: number;
  threads: number;
  virtualBytes: number;
  residentBytes: number;
  /** The program's name, 15 bytes at most. */
  name: string;
  /** Its command line; its name in brackets where it has none. */
  command: string;
}

/** Clock ticks a second, as the kernel tells user space on both architectures; sysconf(3). */
const TICK_MS = 1000 / 100;

/** What each of some processes is doing; those that have gone are left out. */
export function readProcesses(ids: readonly number[]): Process[] {
  const bootMs = Number(/^btime (\d+)/m.exec(Deno.readTextFileSync("/proc/stat"))?.[1] ?? 0) * 1000;
  return ids.map((pid) => readProcess(pid, bootMs)).filter((one) => one !== undefined);
}

function readProcess(pid: number, bootMs: number): Process | undefined {
  try {
    const read = (file: string) => Deno.readTextFileSync(`/proc/${pid}/${file}`);
    return parseProcess(read("stat"), read("status"), read("cmdline"), bootMs);
  } catch (error) {
    // ENOENT, or ESRCH for one that goes while it is read.
    if (error instanceof Deno.errors.NotFound || /os error 3\b/.test(String(error))) {
      return undefined;
    }
    throw error;
  }
}

/** A process from the texts of /proc/PID/stat, status and cmdline. */
export function parseProcess(
  stat: string,
  status: string,
  cmdline: string,
  bootMs: number,
): Process {
  // The name in brackets may hold anything, brackets and line ends too.
  const [open, close] = [stat.indexOf("("), stat.lastIndexOf(")")];
  const fields = stat.slice(close + 2).split(" "); // From the third on.
  const field = (number: number) => Number(fields[number - 3]);
  const id = (name: string) =>
    Number(new RegExp(`^${name}:\\t\\d+\\t(\\d+)`, "m").exec(status)?.[1] ?? 0); // The effective one.
  const name = stat.slice(open + 1, close);
  const words = cmdline.replace(/\0+$/, "").replaceAll("\0", " ");
  const [pgid, sid, terminal, foreground] = [field(5), field(6), field(7), field(8)];
  const [pid, nice, threads] = [Number(stat.slice(0, open)), field(19), field(20)];
  return {
    pid,
    ppid: field(4),
    pgid,
    sid,
    uid: id("Uid"),
    gid: id("Gid"),
    state: [
      fields[0] ?? "?",
      nice < 0 ? "<" : nice > 0 ? "N" : "",
      sid === pid ? "s" : "",
      threads > 1 ? "l" : "",
      foreground === pgid ? "+" : "",
    ].join(""),
    tty: terminalName(terminal),
    cpuMs: (field(14) + field(15)) * TICK_MS,
    startedMs: bootMs + field(22) * TICK_MS,
    nice,
    threads,
    virtualBytes: field(23),
    residentBytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024,
    name,
    command: words === "" ? `[${name}]` : words,
  };
}

/** A terminal by its device number: bits 31–20 and 7–0 are the minor, 15–8 the major. */
function terminalName(device: number): string {
  if (device === 0) return "?";
  const major = (device >> 8) & 0xff, minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${(major - 136) * 256 + minor}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return major === 5 && minor === 1 ? "console" : "?";
}
