/**
 * Measures minictr beside whichever peers are installed, and prints Markdown:
 *
 *     deno run -A bench/bench.ts [--rounds N] [start|exec|background|many|phases|network]…
 *
 * Needs root and a static busybox; `dist/` is made if it is not there. A contender that is not
 * installed, or does not work here, is left out with its reason. `tables.ts` lists the tables.
 */
import type { Bench } from "./contenders.ts";
import { makePlaces } from "./places.ts";
import { BARE, memoryLimits, peakMemoryKib, phases } from "./phases.ts";
import { tableOf } from "./table.ts";
import { TABLES } from "./tables.ts";

const PEERS = ["runc", "crun", "bwrap", "podman", "docker"];

async function main(args: readonly string[]): Promise<number> {
  const words = [...args];
  const at = words.indexOf("--rounds");
  const rounds = at < 0 ? 30 : Number(words.splice(at, 2)[1]);
  const names = [...TABLES.map(({ name }) => name), "phases", "network"];
  const odd = words.find((word) => !names.includes(word));
  if (odd !== undefined || !(rounds > 0)) {
    console.error(`bench: [--rounds N] [${names.join("|")}]…, not "${odd ?? args.join(" ")}"`);
    return 2;
  }
  const wants = (name: string) => words.length === 0 || words.includes(name);
  const bench = await makePlaces();
  try {
    console.log(machine(rounds));
    for (const table of TABLES) {
      if (wants(table.name)) console.log(tableOf(table, bench, rounds));
    }
    if (wants("phases")) await printPhases(bench, rounds);
    if (wants("network")) await printNetwork(bench, rounds);
    console.log(`\n${versions()}`);
  } finally {
    await Deno.remove(bench.scratch, { recursive: true });
  }
  return 0;
}

async function printPhases(bench: Bench, rounds: number): Promise<void> {
  console.log("### Where a start's time goes\n");
  const measured = await phases(bench, rounds);
  const bare = measured.get(BARE) ?? NaN;
  measured.delete(BARE);
  const [start, ...own] = measured;
  const sum = own.reduce((all, [, ms]) => all + ms, 0);
  const rows = [[BARE, bare], start, ...own, ["all but Deno's start", sum]] as [string, number][];
  const lines = rows.map(([name, ms]) =>
    `| ${name} | ${ms.toFixed(2)} | ${(ms / bare).toFixed(2)} |`
  );
  const head = "| phase of a start | median, ms | of a bare Deno |";
  console.log([head, "| --- | ---: | ---: |", ...lines].join("\n"));
  const kib = await peakMemoryKib(bench);
  console.log(
    `\n- minictr's own peak memory while a container runs: ${(kib / 1024).toFixed(0)} MiB`,
  );
  const limits = ["256k", "512k", "1m", "4m"];
  const enough = memoryLimits(bench, limits);
  console.log(
    `- memory limits that /bin/true starts in: ${enough.join(", ")} (of ${limits.join(", ")})`,
  );
}

/** Its own command: it plays in a network namespace of its own. */
async function printNetwork({ project }: Bench, rounds: number): Promise<void> {
  console.log("\n### Networks\n");
  const args = ["run", "-A", "--no-lock", `${project}bench/network.ts`, "--rounds", `${rounds}`];
  const { success } = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
  if (!success) console.log("- left out: it failed");
}

function machine(rounds: number): string {
  const cpuinfo = Deno.readTextFileSync("/proc/cpuinfo");
  const cpu = /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? Deno.build.arch;
  const load = Deno.loadavg()[0]?.toFixed(1);
  return `${rounds} rounds, each contender once a round; ${navigator.hardwareConcurrency} × ${cpu}, ` +
    `Linux ${Deno.osRelease()}, load ${load}.\n`;
}

/** The first line of what each program says of itself. */
function versions(): string {
  const lines = [`Deno ${Deno.version.deno}`];
  for (const program of PEERS) {
    try {
      const { stdout } = new Deno.Command(program, { args: ["--version"] }).outputSync();
      lines.push(new TextDecoder().decode(stdout).split("\n")[0] ?? program);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return `Versions: ${lines.join(", ")}.`;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
