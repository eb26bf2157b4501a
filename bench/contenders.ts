/**
 * What is compared: `/bin/true` in the same busybox root, with isolation as equal as they allow.
 */
import type { Contender } from "./pairs.ts";

/** Where a run of the benchmark keeps its things. */
export interface Bench {
  /** Its own directory, removed afterwards. */
  scratch: string;
  /** A busybox root. */
  rootfs: string;
  /** An OCI bundle of it: what minictr's flags make, in words that all runtimes know. */
  bundle: string;
  /** The checkout, with a slash. */
  project: string;
}

const OFFLINE = ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--cached-only"];

/** Words that start the program from its bundle or its source, or a bare Deno. */
export function denoRun(file: string): string[] {
  return [Deno.execPath(), "run", "-A", "--quiet", ...OFFLINE, file];
}

/** The executable, and an environment in which it unpacks itself into the scratch. */
export function executable(
  { project, scratch }: Bench,
): { file: string; env: Record<string, string> } {
  return {
    file: `${project}dist/minictr`,
    env: { MINICTR_PROGRAMS: `${scratch}/programs` },
  };
}

/** All contenders; the first is what the others are compared with. */
export function contenders(bench: Bench): Contender[] {
  const { scratch, rootfs, bundle, project } = bench;
  const { file, env } = executable(bench);
  const source = [Deno.execPath(), "run", "-A", "--quiet", "--no-lock", `${project}main.ts`];
  const flags = ["run", "--rm", "--network", "none", "--rootfs", rootfs, "/bin/true"];
  const isolation = ["--unshare-all", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"];
  const limits = ["--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1024:1024"];
  return [
    { name: "runc", words: ["runc", "run", "-b", bundle, "minictr-bench-runc"] },
    { name: "minictr", words: [file, "run", "--bundle", bundle], env },
    { name: "minictr, flags", words: [file, ...flags], env },
    {
      name: "minictr, bundle",
      words: [...denoRun(`${project}dist/minictr.js`), "run", "--bundle", bundle],
    },
    { name: "minictr, source", words: [...source, "run", "--bundle", bundle] },
    { name: "crun", words: ["crun", "run", "-b", bundle, "minictr-bench-crun"] },
    {
      name: "bwrap",
      words: ["bwrap", "--bind", rootfs, "/", ...isolation, "/bin/true"],
    },
    {
      name: "podman",
      words: [
        ...["podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs"],
        ...["run", "--rm", "--network", "none", ...limits, "--rootfs", rootfs, "/bin/true"],
      ],
    },
    {
      name: "docker",
      words: ["docker", "run", "--rm", "--network", "none", "busybox", "/bin/true"],
    },
    { name: "deno, nothing", words: denoRun(`${scratch}/nothing.js`) },
  ];
}

/** What each contender is, for the reader of the table. */
export const MEANING: Readonly<Record<string, string>> = {
  runc: "`runc run` of the bundle",
  minictr: "`dist/minictr run --bundle` of the same bundle",
  "minictr, flags": "`dist/minictr run --rm --network none --rootfs DIR /bin/true`",
  "minictr, bundle": "`deno run dist/minictr.js run --bundle`, no code kept by V8",
  "minictr, source": "`deno run main.ts run --bundle`",
  crun: "`crun run` of the bundle",
  bwrap: "`bwrap --unshare-all`: no cgroup, no masks, no filter, all capabilities",
  podman: "`podman run --network none --rootfs` with runc",
  docker: "`docker run --rm --network none busybox /bin/true`, with its daemon",
  "deno, nothing": "Deno with an empty file: the floor of every minictr",
};
