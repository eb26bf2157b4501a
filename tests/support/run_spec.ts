/** A host and a caller for the tests of run_spec.ts. @module */

import { printSpec, readSpec } from "../../src/spec/mod.ts";
import { parseCommandLine } from "../../src/cli/grammar.ts";
import { RUN } from "../../src/cli/run_flags.ts";
import { specFromFlags } from "../../src/cli/run_spec.ts";
import type { HostDevice, RunContext, RunSpec } from "../../src/cli/run_spec.ts";

/** The id of the container in these tests. */
export const ID = "0123456789abcdef".repeat(4);

const DEVICES: HostDevice[] = [
  { path: "/dev/sda", type: "b", major: 8, minor: 0, mode: 0o660, uid: 0, gid: 6 },
  { path: "/dev/fuse", type: "c", major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 },
  { path: "/dev/snd/seq", type: "c", major: 116, minor: 1, mode: 0o660, uid: 0, gid: 29 },
  { path: "/dev/snd/timer", type: "c", major: 116, minor: 33, mode: 0o660, uid: 0, gid: 29 },
  { path: "/dev/pts/0", type: "c", major: 136, minor: 0, mode: 0o620, uid: 0, gid: 5 },
];

/** A host with four CPUs and five devices, and a caller in /home/u. */
function context(changes: Partial<RunContext> = {}): RunContext {
  return {
    id: ID,
    root: { path: "/root" },
    command: ["sh"],
    cwd: "/home/u",
    hostname: "host",
    cpus: 4,
    env: (name) => ({ HOME: "/home/u", EMPTY: "" })[name],
    readFile: (path) => new TextEncoder().encode(`FROM=${path}\nHOME\nMISSING\n`),
    devices: (path) =>
      DEVICES.filter((device) => device.path === path || device.path.startsWith(`${path}/`)),
    container: (name) => name === "web" ? { id: "w".repeat(64), pid: 42, shm: "/shm" } : undefined,
    ...changes,
  };
}

/** What a command line makes, checked as a bundle's config.json would be. */
export async function made(
  argv: string[],
  changes: Partial<RunContext> = {},
): Promise<RunSpec> {
  const line = parseCommandLine(RUN, argv);
  const found = await specFromFlags(line, context({ command: line.operands, ...changes }));
  await readSpec(await printSpec(found.spec));
  return found;
}

/** The spec of `sh` with these flags. */
export async function spec(...argv: string[]) {
  return (await made([...argv, "sh"])).spec;
}
