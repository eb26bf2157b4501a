/**
 * How long `stats --no-stream`, `ps` and `top` take with many containers, in Markdown:
 *
 *     deno run -A bench/stats.ts [--containers N]
 *
 * Needs root and a static busybox; `dist/` is made if it is not there.
 */
import { median } from "./pairs.ts";
import { makePlaces } from "./places.ts";

const ROUNDS = 7;

async function main(args: readonly string[]): Promise<void> {
  const containers = args[0] === "--containers" ? Number(args[1]) : 500;
  const { scratch, rootfs, project } = await makePlaces();
  const minictr = [`${project}dist/minictr`, "--root", `${scratch}/root`];
  const names = Array.from({ length: containers }, (_, number) => `bench-${number}`);
  try {
    for (const name of names) {
      const flags = ["run", "-d", "--rm", "--name", name, "--network", "none"];
      run([...minictr, ...flags, "--rootfs", rootfs, "/bin/sleep", "3600"]);
    }
    console.log(`| with ${containers} containers | median, ms | least, ms |`);
    console.log("| --- | ---: | ---: |");
    for (const words of [["stats", "--no-stream"], ["ps"], ["ps", "-q"], ["top", "bench-0"]]) {
      const times = Array.from({ length: ROUNDS }, () => {
        const start = performance.now();
        run([...minictr, ...words]);
        return performance.now() - start;
      });
      const numbers = [median(times), Math.min(...times)].map((ms) => ms.toFixed(0));
      console.log(`| \`${words.join(" ")}\` | ${numbers.join(" | ")} |`);
    }
  } finally {
    new Deno.Command(minictr[0] ?? "", {
      args: [...minictr.slice(1), "rm", "-f", ...names],
      stdout: "null",
      stderr: "null",
    }).outputSync();
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

if (import.meta.main) await main(Deno.args);
