/**
 * Measures what hundreds of containers cost, and prints Markdown:
 *
 *     deno run -A bench/hundreds.ts [--containers N] [--starts N]
 *
 * `ps` beside 500 definitions, of which some run; 100 starts side by side, none of which may fail.
 * Needs root and a static busybox; `dist/` is made if it is not there.
 */
import { median } from "./pairs.ts";
import { makePlaces } from "./places.ts";

const RUNNING = 20, ROUNDS = 15, AT_ONCE = 10;

async function main(args: readonly string[]): Promise<void> {
  const number = (name: string, preset: number) =>
    args.includes(name) ? Number(args[args.indexOf(name) + 1]) : preset;
  const containers = number("--containers", 500), starts = number("--starts", 100);
  const { scratch, rootfs, project } = await makePlaces();
  const minictr = [`${project}dist/minictr`, "--root", `${scratch}/root`];
  const start = ["run", "-d", "--network", "none", "--rootfs", rootfs, "/bin/sleep", "3600"];
  try {
    console.log("| hundreds of containers | ms | what |\n| --- | ---: | --- |");
    for (let n = 0; n < RUNNING; n++) await run([...minictr, ...start]);
    const [id = ""] = (await run([...minictr, "ps", "-q", "--no-trunc"])).split("\n");
    copies(`${scratch}/root/data/containers`, id, containers - RUNNING);
    for (const flags of [[], ["-a"]]) {
      const times = await timesOf([...minictr, "ps", ...flags]);
      const what = `${containers} containers, ${RUNNING} of them running; median of ${ROUNDS}`;
      row(`ps ${flags.join(" ")}`.trim(), median(times), what);
    }
    row("version", median(await timesOf([...minictr, "version"])), "the floor of every command");
    await run([...minictr, "rm", "-f", ...(await ids(minictr))]);
    const begun = performance.now();
    await sideBySide(starts, () => run([...minictr, ...start]));
    const what = `all of ${starts} \`run -d\`, ${AT_ONCE} at a time; none failed`;
    row("run -d", performance.now() - begun, what);
    row("each", (performance.now() - begun) / starts, "the same, shared out");
  } finally {
    await run([...minictr, "rm", "-f", ...(await ids(minictr))]).catch(() => {});
    await Deno.remove(scratch, { recursive: true });
  }
}

function row(name: string, ms: number, what: string): void {
  console.log(`| ${name} | ${ms.toFixed(1)} | ${what} |`);
}

/** Definitions of containers that have ended, made from one that runs. */
function copies(directory: string, id: string, count: number): void {
  const definition = JSON.parse(Deno.readTextFileSync(`${directory}/${id}/container.json`));
  for (let n = 0; n < count; n++) {
    const copy = crypto.getRandomValues(new Uint8Array(32)).toHex();
    Deno.mkdirSync(`${directory}/${copy}`);
    Deno.copyFileSync(`${directory}/${id}/config.json`, `${directory}/${copy}/config.json`);
    const made = { ...definition, id: copy, name: `copy_${n}` };
    Deno.writeTextFileSync(`${directory}/${copy}/container.json`, JSON.stringify(made, null, 2));
    const exit = new DataView(new ArrayBuffer(24)); // CLD_EXITED, status, seconds, nanoseconds.
    exit.setUint32(0, 1, true);
    exit.setBigUint64(8, BigInt(Math.floor(Date.now() / 1000)), true);
    Deno.writeFileSync(`${directory}/${copy}/exit`, new Uint8Array(exit.buffer));
  }
}

async function ids(minictr: string[]): Promise<string[]> {
  return (await run([...minictr, "ps", "-aq"])).split("\n").filter((id) => id !== "");
}

async function timesOf(words: string[]): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    await run(words);
    times.push(performance.now() - begun);
  }
  return times;
}

async function sideBySide(count: number, act: () => Promise<unknown>): Promise<void> {
  let left = count;
  const next = async (): Promise<void> => {
    while (left-- > 0) await act();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

/** Runs a command that must succeed; returns what it prints. */
async function run([command = "", ...args]: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${command} ${args.join(" ")} failed: ${text(stderr)}`);
  return text(stdout);
}

if (import.meta.main) await main(Deno.args);
