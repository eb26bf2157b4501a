/**
 * A container in the background: started, and removed by force while it runs.
 */
import { minictr, podman } from "./exec.ts";
import type { Comparison } from "./table.ts";

const NAME = "minictr-bench-background";

/** How long `run -d` and `rm -f` take together. */
export const BACKGROUND: Comparison = {
  name: "background",
  title: "Background: `run -d` of a sleeping container, and `rm -f`",
  contenders(bench) {
    const { rootfs, scratch } = bench;
    const { words, env } = minictr(bench);
    const sleep = [rootfs, "/bin/sleep", "3600"];
    const inShell = (...lines: string[][]) => ["sh", "-ec", lines.map(joined).join("\n")];
    const flags = ["run", "-d", "--name", NAME, "--network", "none", "--rootfs"];
    const runc = ["run", "-d", "-b", `${scratch}/sleeping`, NAME];
    return [
      { name: "runc", words: inShell(["runc", ...runc], ["runc", "delete", "-f", NAME]) },
      {
        name: "minictr",
        words: inShell([...words, ...flags, ...sleep], [...words, "rm", "-f", NAME]),
        env,
      },
      { name: "crun", words: inShell(["crun", ...runc], ["crun", "delete", "-f", NAME]) },
      {
        name: "podman",
        words: inShell(
          [...podman("run"), "-d", "--name", NAME, "--rootfs", ...sleep],
          ["podman", "rm", "-f", "-t", "0", NAME],
        ),
      },
    ];
  },
  prepare({ bundle, scratch }) {
    const spec = JSON.parse(Deno.readTextFileSync(`${bundle}/config.json`));
    spec.process.args = ["/bin/sleep", "3600"];
    Deno.mkdirSync(`${scratch}/sleeping`, { recursive: true });
    Deno.writeTextFileSync(`${scratch}/sleeping/config.json`, JSON.stringify(spec));
  },
  meaning: {
    runc: "the sleeping process is nobody's: no log, no exit status",
    minictr: "with a supervisor, a log and an exit status",
    podman: "with conmon",
  },
};

function joined(words: string[]): string {
  return `${
    words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")
  } </dev/null >/dev/null`;
}
