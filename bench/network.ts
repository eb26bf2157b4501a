/**
 * What networks cost, in a network namespace of its own, in Markdown:
 *
 *     deno run -A bench/network.ts [--rounds N] [start|traffic|many]...
 *
 * Needs root, busybox, iproute2, nft, taskset and python3; podman where it is there. `dist/` is made
 * if it is missing.
 */
import { type Bench, contenders } from "./contenders.ts";
import { many, output } from "./network_many.ts";
import { traffic } from "./network_traffic.ts";
import { type Contender, measure, median, whyNot } from "./pairs.ts";
import { makePlaces } from "./places.ts";

/** What a part of the benchmark works with. */
export interface NetworkBench extends Bench {
  /** The words of `minictr` with a root of its own. */
  minictr: string[];
  env: Record<string, string>;
  rounds: number;
}

const PARTS = { start, traffic, many };

async function main(args: readonly string[]): Promise<void> {
  if (Deno.env.get("MINICTR_BENCH_NETNS") !== "1") return inOwnNamespace(args);
  const words = [...args];
  const at = words.indexOf("--rounds");
  const rounds = at < 0 ? 30 : Number(words.splice(at, 2)[1]);
  const places = await makePlaces();
  const bench: NetworkBench = {
    ...places,
    minictr: [`${places.project}dist/minictr`, "--root", `${places.scratch}/root`],
    env: { MINICTR_PROGRAMS: `${places.scratch}/programs` },
    rounds,
  };
  const run = `${places.scratch}/root/run`;
  Deno.mkdirSync(run, { recursive: true });
  output(["mount", "-t", "tmpfs", "tmpfs", run]); // As /run is.
  try {
    for (const [name, part] of Object.entries(PARTS)) {
      if (words.length === 0 || words.includes(name)) await part(bench);
    }
  } finally {
    const script = 'ids=$("$@" ps -aq); [ -z "$ids" ] || "$@" rm -f $ids'; // Of a part that failed.
    output(["sh", "-c", script, "sh", ...bench.minictr], bench.env);
    output(["umount", run]);
    await Deno.remove(places.scratch, { recursive: true });
  }
}

/** The machine's own network is never touched. */
function inOwnNamespace(args: readonly string[]): void {
  const script = 'ip link set lo up && exec "$@"';
  const deno = [Deno.execPath(), "run", "-A", "--no-lock", new URL(import.meta.url).pathname];
  const { code } = new Deno.Command("unshare", {
    args: ["--net", "--mount", "sh", "-c", script, "sh", ...deno, ...args],
    env: { MINICTR_BENCH_NETNS: "1" },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).outputSync();
  Deno.exit(code);
}

/** What an interface, an address and a published port add to a start, pair by pair. */
function start(bench: NetworkBench): void {
  const { minictr, env, rootfs, scratch, rounds } = bench;
  const run = (...flags: string[]) => [
    ...[...minictr, "run", "--rm", "--quiet", "--rootfs", rootfs, ...flags, "/bin/true"],
  ];
  const podman = contenders(bench).find(({ name }) => name === "podman")?.words ?? [];
  const stores = ["--root", `${scratch}/podman`, "--runroot", `${scratch}/podman.run`];
  const bridged = (...flags: string[]) =>
    ["podman", ...stores, ...podman.slice(1)].flatMap((word) =>
      word === "none" ? ["bridge", ...flags] : word
    );
  const wanted: Contender[] = [
    { name: "minictr, none", words: run("--network", "none"), env },
    { name: "minictr, bridge", words: run(), env },
    { name: "minictr, -p 8080:80", words: run("-p", "8080:80"), env },
    { name: "podman, none", words: ["podman", ...stores, ...podman.slice(1)] },
    { name: "podman, bridge", words: bridged() },
    { name: "podman, -p 8080:80", words: bridged("-p", "8080:80") },
  ];
  const reasons = new Map<string, string>();
  const able = wanted.filter((contender) => {
    const reason = whyNot(contender);
    if (reason !== undefined) reasons.set(contender.name, reason);
    return reason === undefined;
  });
  const measured = measure(able, rounds);
  const rows = measured.map(({ name, times }) => {
    const none = measured.find((one) => one.name === name.replace(/,.*/, ", none"));
    const added = median(times.map((time, round) => time - (none?.times[round] ?? NaN)));
    const least = Math.min(...times);
    return `| ${name} | ${median(times).toFixed(1)} | ${least.toFixed(1)} | ${added.toFixed(1)} |`;
  });
  console.log([
    `| \`run --rm … /bin/true\` | median, ms | least, ms | more than none, ms |`,
    "| --- | ---: | ---: | ---: |",
    ...rows,
    "",
  ].join("\n"));
  for (const [name, reason] of reasons) console.log(`- ${name} is left out: ${reason}`);
}

if (import.meta.main) await main(Deno.args);
