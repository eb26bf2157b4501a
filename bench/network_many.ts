/** Many ports on one container, and many containers on one bridge. */
import type { NetworkBench } from "./network.ts";
import { median } from "./pairs.ts";

const CONTAINERS = 250, EDGE = 20;

/** Prints what a start takes with many ports, and after many other starts; and that nothing is left. */
export function many(bench: NetworkBench): void {
  const range = (host: number) => `${host}-${host + 999}:20000-20999`;
  const rows = [
    ["one port", "20000:20000"],
    ["1,000 ports that keep their numbers", range(20_000)],
    ["1,000 ports that become others", range(30_000)],
  ].map(([name = "", publish = ""]) => {
    const times = Array.from({ length: 9 }, () => {
      const took = timed(bench, [
        "run",
        "-d",
        "--quiet",
        "--name",
        "many",
        "-p",
        publish,
        ...sleeper(bench),
      ]);
      minictr(bench, ["rm", "-f", "many"]);
      return took;
    });
    return `| ${name} | ${median(times).toFixed(0)} |`;
  });
  console.log(["| `run -d` with | median, ms |", "| --- | ---: |", ...rows, ""].join("\n"));
  console.log(`| ${CONTAINERS} containers | first ${EDGE}, ms | last ${EDGE}, ms | all gone, s |`);
  console.log("| --- | ---: | ---: | ---: |");
  oneByOne(bench, "on one bridge", () => []);
  oneByOne(bench, "with a port each", (number) => ["-p", `${10_000 + number}:80`]);
}

function oneByOne(bench: NetworkBench, name: string, flags: (number: number) => string[]): void {
  const names = Array.from({ length: CONTAINERS }, (_, number) => `many${number}`);
  const times = names.map((one, number) =>
    timed(bench, ["run", "-d", "--quiet", "--name", one, ...flags(number), ...sleeper(bench)])
  );
  const start = performance.now();
  minictr(bench, ["rm", "-f", ...names]);
  const goneS = (performance.now() - start) / 1000;
  const [first, last] = [times.slice(0, EDGE), times.slice(-EDGE)].map(median);
  console.log(`| ${name} | ${first?.toFixed(0)} | ${last?.toFixed(0)} | ${goneS.toFixed(1)} |`);
  // The kernel takes interfaces away behind the last process of a namespace.
  const left =
    "for n in $(seq 100); do ip -o link show type veth | grep -q . || break; sleep 0.1; done;" +
    "ip -o link show type veth; nft list maps | grep -A1 -E 'map (ports|ranges)4' | grep elements; true";
  if (output(["sh", "-c", left]) !== "") throw new Error("interfaces or ports are left");
}

function sleeper({ rootfs }: NetworkBench): string[] {
  return ["--rootfs", rootfs, "/bin/sleep", "3600"];
}

/** Milliseconds. */
function timed(bench: NetworkBench, args: string[]): number {
  const start = performance.now();
  minictr(bench, args);
  return performance.now() - start;
}

/** Runs minictr; a container that it leaves behind keeps none of our pipes. */
export function minictr(
  { minictr: [command = "", ...words], env }: NetworkBench,
  args: string[],
): void {
  const { success } = new Deno.Command(command, {
    args: [...words, ...args],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).outputSync();
  if (!success) throw new Error(`minictr ${args.join(" ")} failed`);
}

/** What a command prints. */
export function output(
  [command = "", ...args]: string[],
  env: Record<string, string> = {},
): string {
  const { success, stdout } = new Deno.Command(command, { args, env, stderr: "inherit" })
    .outputSync();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}
