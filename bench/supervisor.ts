/**
 * Containers in the background beside podman's: what a supervisor costs, and how fast output is logged.
 *
 *     deno run -A bench/supervisor.ts [--containers 100] [--megabytes 200]
 */
import { median, whyNot } from "./pairs.ts";

const project = new URL("..", import.meta.url).pathname;
const containers = numberOf("containers", 100), megabytes = numberOf("megabytes", 200);

const scratch = Deno.makeTempDirSync({ prefix: "minictr-bench-" });
const rootfs = `${scratch}/rootfs`;

/** The supervisor is the same, whatever minictr is started from. */
const SOURCE = [Deno.execPath(), "run", "-A", "--quiet", "--no-lock", `${project}main.ts`];

/** An engine under its own directories. */
interface Engine {
  name: string;
  words: string[];
  /** In front of the root filesystem of a `run -d`. */
  run: string[];
  /** The command line of the process beside each container. */
  beside: RegExp;
}

const ENGINES: Engine[] = [
  {
    name: "minictr",
    words: [...SOURCE, "--root", `${scratch}/minictr`],
    run: ["--network", "none"],
    beside: /^minictr-supervisor /,
  },
  {
    name: "podman, conmon",
    words: [
      ...["podman", "--root", `${scratch}/podman`, "--runroot", `${scratch}/podman.run`],
      ...["--cgroup-manager", "cgroupfs", "--runtime", "runc"],
    ],
    run: ["--network", "none", "--log-driver", "k8s-file", "--ulimit", "nofile=1024:4096"],
    beside: /^\/usr\/bin\/conmon /,
  },
];

function numberOf(flag: string, otherwise: number): number {
  const at = Deno.args.indexOf(`--${flag}`);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
}

function output(words: string[]): string {
  const [command = "", ...args] = words;
  const { success, stdout, stderr } = new Deno.Command(command, { args }).outputSync();
  if (!success) throw new Error(`${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

function runWords({ words, run }: Engine, command: string[], more: string[] = []): string[] {
  const limits = words[0] === "podman" ? ["--ulimit", "nproc=1024:1024"] : [];
  return [...words, "run", "-d", ...run, ...limits, ...more, "--rootfs", rootfs, ...command];
}

/** KiB of a process that are its own; proc_pid_smaps_rollup(5). */
function privateKib(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return ["Clean", "Dirty"].reduce(
    (sum, kind) =>
      sum + Number(new RegExp(`^Private_${kind}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0),
    0,
  );
}

function processesLike(pattern: RegExp): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    try {
      const line = Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
      // The container's directory, which minictr's supervisor has open, or conmon's pidfile and log.
      return pid > 0 && pattern.test(line) &&
        (line.includes(scratch) || Deno.readLinkSync(`/proc/${pid}/fd/4`).startsWith(scratch));
    } catch {
      return false;
    }
  });
}

/** The memory of what is beside idle containers: of one, and of all. */
function memory(engine: Engine): string {
  const ids = Array.from(
    { length: containers },
    () => output(runWords(engine, ["/bin/sleep", "1000"])),
  );
  const all = processesLike(engine.beside).map(privateKib);
  for (const id of ids) output([...engine.words, "rm", "-f", id]);
  const sum = all.reduce((a, b) => a + b, 0);
  return `| ${engine.name} | ${all.length} | ${median(all)} | ${(sum / 1024).toFixed(1)} |`;
}

/** From the start of a container that writes so much to the end of it. */
function throughput(engine: Engine): string {
  const line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde";
  const script = `yes ${line} | head -c ${megabytes * 1_000_000}`;
  const times = Array.from({ length: 3 }, () => {
    const start = performance.now();
    const id = output(runWords(engine, ["/bin/sh", "-c", script]));
    output([...engine.words, "wait", id]);
    const time = performance.now() - start;
    output([...engine.words, "rm", id]);
    return time / 1000;
  });
  const seconds = median(times);
  return `| ${engine.name} | ${seconds.toFixed(2)} | ${(megabytes / seconds).toFixed(0)} |`;
}

try {
  Deno.mkdirSync(`${rootfs}/bin`, { recursive: true });
  for (const name of ["proc", "sys", "dev", "etc", "tmp"]) Deno.mkdirSync(`${rootfs}/${name}`);
  Deno.copyFileSync("/bin/busybox", `${rootfs}/bin/busybox`);
  for (const name of ["sh", "true", "sleep", "yes", "head"]) {
    Deno.symlinkSync("busybox", `${rootfs}/bin/${name}`);
  }
  const engines = ENGINES.filter((engine) => {
    const why = whyNot({ name: engine.name, words: runWords(engine, ["/bin/true"], ["--rm"]) });
    if (why !== undefined) console.log(`- ${engine.name} is left out: ${why}`);
    return why === undefined;
  });
  console.log("| beside a container | how many | KiB each, private | MiB in all |");
  console.log("| --- | ---: | ---: | ---: |");
  for (const engine of engines) console.log(memory(engine));
  console.log(`\n| ${megabytes} MB of output logged by | seconds, median of 3 | MB/s |`);
  console.log("| --- | ---: | ---: |");
  for (const engine of engines) console.log(throughput(engine));
} finally {
  await new Promise((resolve) => setTimeout(resolve, 2000)); // What --rm takes away afterwards.
  new Deno.Command("rm", { args: ["-rf", "--one-file-system", scratch] }).outputSync();
}
