/**
 * Compares `minictr exec` with `runc exec`, each of `/bin/true` in a container that runs from the same
 * bundle, and prints Markdown:
 *
 *     deno run -A bench/exec.ts [--rounds N]
 *
 * Needs root, a static busybox and runc; `dist/` is made if it is not there.
 */
import { denoRun } from "./contenders.ts";
import { type Contender, measure, median, ratio } from "./pairs.ts";
import { makePlaces } from "./places.ts";

const RUNC = "minictr-bench-exec";

async function main(args: readonly string[]): Promise<void> {
  const rounds = args[0] === "--rounds" ? Number(args[1]) : 30;
  const { scratch, rootfs, bundle, project } = await makePlaces();
  const executable = [`${project}dist/minictr`, "--root", `${scratch}/root`];
  const source = [...denoRun(`${project}dist/minictr.js`), "--root", `${scratch}/root`];
  const sleeping = `${scratch}/sleeping`;
  const spec = JSON.parse(await Deno.readTextFile(`${bundle}/config.json`));
  spec.process.args = ["/bin/sleep", "3600"];
  await Deno.mkdir(sleeping);
  await Deno.writeTextFile(`${sleeping}/config.json`, JSON.stringify(spec));
  try {
    run(["runc", "run", "-d", "-b", sleeping, RUNC]);
    const flags = ["run", "-d", "--rm", "--name", "bench", "--network", "none"];
    run([...executable, ...flags, "--rootfs", rootfs, "/bin/sleep", "3600"]);
    const contenders: Contender[] = [
      { name: "runc", words: ["runc", "exec", RUNC, "/bin/true"] },
      {
        name: "minictr",
        words: [...executable, "exec", "bench", "/bin/true"],
        env: { MINICTR_PROGRAMS: `${scratch}/programs` },
      },
      { name: "minictr, bundle", words: [...source, "exec", "bench", "/bin/true"] },
      { name: "deno, nothing", words: denoRun(`${scratch}/nothing.js`) },
    ];
    const measured = measure(contenders, rounds);
    console.log("| `exec /bin/true` | median, ms | least, ms | of runc's |");
    console.log("| --- | ---: | ---: | ---: |");
    for (const one of measured) {
      const numbers = [median(one.times), Math.min(...one.times)].map((ms) => ms.toFixed(1));
      const of = ratio(one, measured[0] ?? one).toFixed(2);
      console.log(`| ${one.name} | ${numbers.join(" | ")} | ${of} |`);
    }
  } finally {
    end(["runc", "delete", "-f", RUNC]);
    end([...executable, "rm", "-f", "bench"]);
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Runs a command that must succeed; a container that it leaves behind keeps none of our pipes. */
function run([command = "", ...args]: string[]): void {
  const { success } = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).outputSync();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
}

/** Runs a command whose failure is no matter. */
function end([command = "", ...args]: string[]): void {
  new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync();
}

if (import.meta.main) await main(Deno.args);
