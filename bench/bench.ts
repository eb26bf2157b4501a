/**
 * Compares minictr's start with other runtimes', and prints Markdown:
 *
 *     deno run -A bench/bench.ts [--rounds N] [NAME…]
 *
 * Needs root and a static busybox; `dist/` is made if it is not there. A contender that is not
 * installed, or does not work here, is left out with its reason.
 */
import { type Bench, contenders, MEANING } from "./contenders.ts";
import { makePlaces } from "./places.ts";
import { type Contender, measure, type Measured, median, ratio, whyNot } from "./pairs.ts";
import { memoryLimits, peakMemoryKib, phases } from "./phases.ts";

async function main(args: readonly string[]): Promise<void> {
  const words = [...args];
  const at = words.indexOf("--rounds");
  const rounds = at < 0 ? 30 : Number(words.splice(at, 2)[1]);
  const bench = await makePlaces();
  try {
    const wanted = contenders(bench).filter(({ name }, index) =>
      index === 0 || words.length === 0 || words.includes(name)
    );
    const reasons = new Map<string, string>();
    const able = wanted.filter((contender) => {
      const reason = whyNot(contender);
      if (reason !== undefined) reasons.set(contender.name, reason);
      return reason === undefined;
    });
    console.log(machine(rounds));
    console.log(table(measure(able, rounds)));
    for (const [name, reason] of reasons) console.log(`- ${name} is left out: ${reason}`);
    console.log(`\n${versions(able)}\n`);
    if (words.length === 0) await printPhases(bench, rounds);
  } finally {
    await Deno.remove(bench.scratch, { recursive: true });
  }
}

async function printPhases(bench: Bench, rounds: number): Promise<void> {
  const measured = [...await phases(bench, rounds)];
  const rows = measured.map(([name, ms]) => `| ${name} | ${ms.toFixed(2)} |`);
  console.log(["| phase of a start | median, ms |", "| --- | ---: |", ...rows].join("\n"));
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

function table(measured: Measured[]): string {
  const [first] = measured;
  const rows = measured.map((one) => {
    const against = first ? ratio(one, first).toFixed(2) : "";
    const [low, least] = [median(one.times), Math.min(...one.times)];
    const what = MEANING[one.name] ?? "";
    return `| ${one.name} | ${low.toFixed(1)} | ${least.toFixed(1)} | ${against} | ${what} |`;
  });
  const head = `| | median, ms | least, ms | of ${first?.name ?? "it"}'s | what |`;
  return [head, "| --- | ---: | ---: | ---: | --- |", ...rows].join("\n");
}

function machine(rounds: number): string {
  const cpuinfo = Deno.readTextFileSync("/proc/cpuinfo");
  const cpu = /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? Deno.build.arch;
  const load = Deno.loadavg()[0]?.toFixed(1);
  return `${rounds} rounds, each contender once a round; ${navigator.hardwareConcurrency} × ${cpu}, ` +
    `Linux ${Deno.osRelease()}, load ${load}.\n`;
}

/** The first line of what each program says of itself. */
function versions(able: readonly Contender[]): string {
  const programs = new Set(able.map(({ words: [program = ""] }) => program));
  const lines = [`Deno ${Deno.version.deno}`];
  for (const program of ["runc", "crun", "bwrap", "podman"]) {
    if (!programs.has(program)) continue;
    const { stdout } = new Deno.Command(program, { args: ["--version"] }).outputSync();
    lines.push(new TextDecoder().decode(stdout).split("\n")[0] ?? program);
  }
  return `Versions: ${lines.join(", ")}.`;
}

if (import.meta.main) await main(Deno.args);
