/**
 * `exec` of `/bin/true` in a container that runs from the same bundle.
 */
import { type Bench, denoRun, executable } from "./contenders.ts";
import { type Comparison, done, tried } from "./table.ts";

const NAME = "minictr-bench-exec";

/** How long a second command takes to join a running container. */
export const EXEC: Comparison = {
  name: "exec",
  title: "Exec: run `/bin/true` in a container that runs already",
  prepare(bench) {
    const { scratch, rootfs } = bench;
    const spec = JSON.parse(Deno.readTextFileSync(`${bench.bundle}/config.json`));
    spec.process.args = ["/bin/sleep", "3600"];
    Deno.mkdirSync(`${scratch}/sleeping`, { recursive: true });
    Deno.writeTextFileSync(`${scratch}/sleeping/config.json`, JSON.stringify(spec));
    const { words, env } = minictr(bench);
    const flags = ["run", "-d", "--rm", "--name", "bench", "--network", "none"];
    done([...words, ...flags, "--rootfs", rootfs, "/bin/sleep", "3600"], env);
    tried(["runc", "run", "-d", "-b", `${scratch}/sleeping`, NAME]);
    tried(["crun", "run", "-d", "-b", `${scratch}/sleeping`, NAME]);
    tried([...podman("run"), "-d", "--name", NAME, "--rootfs", rootfs, "/bin/sleep", "3600"]);
  },
  contenders(bench) {
    const { words, env } = minictr(bench);
    const bundled = [...denoRun(`${bench.project}dist/minictr.js`), ...words.slice(1)];
    return [
      { name: "runc", words: ["runc", "exec", NAME, "/bin/true"] },
      { name: "minictr", words: [...words, "exec", "bench", "/bin/true"], env },
      { name: "minictr, bundle", words: [...bundled, "exec", "bench", "/bin/true"] },
      { name: "crun", words: ["crun", "exec", NAME, "/bin/true"] },
      { name: "podman", words: ["podman", "exec", NAME, "/bin/true"] },
      { name: "deno, nothing", words: denoRun(`${bench.scratch}/nothing.js`) },
    ];
  },
  clear(bench) {
    const { words, env } = minictr(bench);
    tried(["runc", "delete", "-f", NAME]);
    tried(["crun", "delete", "-f", NAME]);
    tried(["podman", "rm", "-f", NAME]);
    tried([...words, "rm", "-f", "bench"], env);
  },
};

/** The executable with a root of its own. */
export function minictr(bench: Bench): { words: string[]; env: Record<string, string> } {
  const { file, env } = executable(bench);
  return { words: [file, "--root", `${bench.scratch}/root`], env };
}

/** podman as it works on a machine without systemd. */
export function podman(verb: string): string[] {
  const limits = ["--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024"];
  const how = ["--runtime", "runc", "--cgroup-manager", "cgroupfs"];
  return ["podman", ...how, verb, "--network", "none", ...limits];
}
