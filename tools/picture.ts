/**
 * Records the tour of the README in a terminal's picture, docs/tour.svg:
 *
 *     sudo deno run -A tools/picture.ts
 *
 * The commands are those of the README's first session; they are run as they stand there, in a
 * network namespace of their own, and what they print is what is drawn.
 */
import { minictrCommand } from "../tests/support/program.ts";
import { isAs, sessions } from "./console.ts";
import { drawn } from "./picture/svg.ts";
import { quoted } from "./demo/stage.ts";
import { ROOT } from "./source.ts";

const PICTURE = `${ROOT}docs/tour.svg`;

async function main(): Promise<void> {
  const [tour = []] = sessions(await Deno.readTextFile(`${ROOT}README.md`));
  const directory = await Deno.makeTempDir({ prefix: "minictr-picture-" });
  try {
    const words = [...minictrCommand(), "--root", `${directory}/root`].map(quoted).join(" ");
    await Deno.writeTextFile(`${directory}/minictr`, `#!/bin/sh\nexec ${words} "$@"\n`);
    await Deno.chmod(`${directory}/minictr`, 0o755);
    const text = await record(tour.map(({ command }) => command), directory);
    for (const { command, output } of tour) {
      const expected = `…$ ${command}\n${output}…`;
      if (!isAs(text, expected)) throw new Error(`"${command}" does not print what it should`);
    }
    await Deno.writeTextFile(PICTURE, drawn(text, "minictr: a tour"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** What a shell shows that is given the commands; the first start, which makes the root, is not. */
async function record(commands: readonly string[], directory: string): Promise<string> {
  const lines = commands.map((line) => `echo ${quoted(`$ ${line}`)}\n${line}`);
  const script = ["minictr run --rm --network none true >/dev/null 2>&1", ...lines].join("\n");
  const { success, stdout } = await new Deno.Command("unshare", {
    args: ["--net", "bash", "-c", `exec 2>&1 </dev/null\n${script}`],
    env: { PATH: `${directory}:${Deno.env.get("PATH")}` },
    cwd: directory,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stdout));
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) await main();
