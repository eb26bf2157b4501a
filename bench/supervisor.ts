/**
 * Containers in the background beside podman's and containerd's: what a supervisor costs, and how fast
 * output is logged.
 *
 *     deno run -A bench/supervisor.ts [--containers 100] [--megabytes 200] [--line TEXT] [--rounds 3]
 *
 * Of lines of two bytes, `--line y`, a log of podman's takes twenty times the bytes of the output.
 */
import { median } from "./pairs.ts";

const project = new URL("..", import.meta.url).pathname;
const containers = Number(option("containers", "100"));
const megabytes = Number(option("megabytes", "200")), rounds = Number(option("rounds", "3"));
const line = option("line", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde");

const scratch = Deno.makeTempDirSync({ prefix: "minictr-bench-" });
const rootfs = `${scratch}/rootfs`;

/** The supervisor is the same, whatever minictr is started from. */
const SOURCE = [Deno.execPath(), "run", "-A", "--quiet", "--no-lock", `${project}main.ts`];

/** An engine under its own directories. */
interface Engine {
  name: string;
  /** Starts a command in the background. */
  run(command: string[]): Started;
  /** In front of an id: ends when the container does; absent where nothing logs its output. */
  wait?: string[];
  /** The command line of the process beside each container. */
  beside: RegExp;
}

/** A container, and the words that take it away. */
interface Started {
  id: string;
  remove: string[][];
}

/** An engine with docker's words. */
function likeDocker(words: string[], flags: string[], removal: string[] = []): Engine["run"] {
  return (command) => {
    const id = output([
      ...[...words, "run", "-d", "--network", "none", ...flags],
      ...["--rootfs", rootfs, ...command],
    ]);
    return { id, remove: [[...words, "rm", "-f", ...removal, id]] };
  };
}

const MINICTR = [...SOURCE, "--root", `${scratch}/minictr`];
const PODMAN = [
  ...["podman", "--root", `${scratch}/podman`, "--runroot", `${scratch}/podman.run`],
  ...["--cgroup-manager", "cgroupfs", "--runtime", "runc"],
];
const PODMAN_FLAGS = [
  ...["--log-driver", "k8s-file"],
  ...["--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024"],
];
const CTR = ["ctr", "--address", `${scratch}/containerd.sock`];

let count = 0;

function runByContainerd(command: string[]): Started {
  const id = `bench-${++count}`;
  output([...CTR, "run", "-d", "--rootfs", rootfs, id, ...command]);
  return {
    id,
    remove: [[...CTR, "task", "rm", "-f", id], [...CTR, "container", "rm", id]],
  };
}

const ENGINES: Engine[] = [
  {
    name: "minictr",
    run: likeDocker(MINICTR, []),
    wait: [...MINICTR, "wait"],
    beside: /^minictr-supervisor /,
  },
  {
    name: "podman, conmon",
    run: likeDocker(PODMAN, PODMAN_FLAGS, ["-t", "0"]), // Else it waits ten seconds.
    wait: [...PODMAN, "wait"],
    beside: /^\/usr\/bin\/conmon /,
  },
  {
    name: "containerd, containerd-shim-runc-v2",
    run: runByContainerd,
    beside: /^\S*containerd-shim-runc-v2 /,
  },
];

/** The daemon that shims belong to, under directories of its own; ends when it is disposed of. */
async function containerd(): Promise<AsyncDisposable> {
  const config = `version = 2
root = "${scratch}/containerd"
state = "${scratch}/containerd.run"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${scratch}/containerd.sock"
`;
  Deno.writeTextFileSync(`${scratch}/containerd.toml`, config);
  const command = new Deno.Command("containerd", {
    args: ["--config", `${scratch}/containerd.toml`, "--log-level", "error"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  let child: Deno.ChildProcess | undefined;
  try {
    child = command.spawn();
    const TRIES = 100;
    for (let tries = 0; tries < TRIES && !exists(`${scratch}/containerd.sock`); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } catch { /* It is not installed: its row is left out. */ }
  return {
    async [Symbol.asyncDispose]() {
      child?.kill("SIGTERM");
      await child?.status;
    },
  };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
}

function option(flag: string, otherwise: string): string {
  const at = Deno.args.indexOf(`--${flag}`);
  return at < 0 ? otherwise : Deno.args[at + 1] ?? otherwise;
}

function output(words: string[]): string {
  const [command = "", ...args] = words;
  const { success, stdout, stderr } = new Deno.Command(command, { args }).outputSync();
  if (!success) throw new Error(`${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

function remove({ remove }: Started): void {
  remove.forEach(output);
}

/** What an engine says where it cannot run a command. */
function failure(engine: Engine): string | undefined {
  try {
    remove(engine.run(["/bin/sleep", "1000"]));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : String(error);
  }
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
      // minictr's supervisor has the container's directory open; the others are given paths.
      return pid > 0 && pattern.test(line) &&
        (line.includes(scratch) || Deno.readLinkSync(`/proc/${pid}/fd/4`).startsWith(scratch));
    } catch {
      return false;
    }
  });
}

/** The memory of what is beside idle containers: of one, and of all. */
function memory(engine: Engine): string {
  const all = Array.from({ length: containers }, () => engine.run(["/bin/sleep", "1000"]));
  const each = processesLike(engine.beside).map(privateKib);
  all.forEach(remove);
  const sum = each.reduce((a, b) => a + b, 0);
  return `| ${engine.name} | ${each.length} | ${median(each)} | ${(sum / 1024).toFixed(1)} |`;
}

/** Seconds from the start of a container that writes so much to the end of it. */
function logging({ run, wait = [] }: Engine): number {
  const script = `yes ${line} | head -c ${megabytes * 1_000_000}`;
  const start = performance.now();
  const { id, remove } = run(["/bin/sh", "-c", script]);
  output([...wait, id]);
  const time = performance.now() - start;
  remove.forEach(output);
  return time / 1000;
}

/** The engines take turns, so that what else the machine does is shared by all. */
function throughput(engines: readonly Engine[]): string[] {
  const all = Array.from({ length: rounds }, () => engines.map(logging));
  return engines.map(({ name }, at) => {
    const times = all.map((round) => round[at] ?? NaN);
    console.error(`${name}: ${times.map((time) => time.toFixed(2)).join(" ")}`);
    const seconds = median(times);
    const numbers = [seconds.toFixed(2), Math.min(...times).toFixed(2)];
    return `| ${name} | ${numbers.join(" | ")} | ${(megabytes / seconds).toFixed(0)} |`;
  });
}

try {
  Deno.mkdirSync(`${rootfs}/bin`, { recursive: true });
  for (const name of ["proc", "sys", "dev", "etc", "tmp"]) Deno.mkdirSync(`${rootfs}/${name}`);
  Deno.copyFileSync("/bin/busybox", `${rootfs}/bin/busybox`);
  for (const name of ["sh", "true", "sleep", "yes", "head"]) {
    Deno.symlinkSync("busybox", `${rootfs}/bin/${name}`);
  }
  await using _daemon = await containerd();
  const engines = ENGINES.filter((engine) => {
    const why = failure(engine);
    if (why !== undefined) console.log(`- ${engine.name} is left out: ${why}`);
    return why === undefined;
  });
  console.log("| beside a container | how many | KiB each, private | MiB in all |");
  console.log("| --- | ---: | ---: | ---: |");
  for (const engine of engines) console.log(memory(engine));
  console.log(
    `\n| ${megabytes} MB in lines of ${line.length + 1} bytes logged by | seconds | least | MB/s |`,
  );
  console.log("| --- | ---: | ---: | ---: |");
  for (const row of throughput(engines.filter(({ wait }) => wait))) console.log(row);
} finally {
  await new Promise((resolve) => setTimeout(resolve, 2000)); // What --rm takes away afterwards.
  new Deno.Command("rm", { args: ["-rf", "--one-file-system", scratch] }).outputSync();
}
