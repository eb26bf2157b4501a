/** Containers in the background, for tests: started, asked about, waited for. */
import assert from "assert";
import { patient } from "./program.ts";
import type { Scratch } from "./scratch.ts";

/** Starts a container of busybox without a network; returns its id. */
export async function detached(
  t: Scratch,
  flags: readonly string[],
  command: readonly string[],
): Promise<string> {
  const words = ["run", "-d", "--network", "none", ...flags, "--rootfs", `${t.rootfs}:O`];
  const { out, err, code } = await t.minictr([...words, ...command]);
  assert.equal(code, 0, err);
  assert.match(out, /^[0-9a-f]{64}\n$/);
  return out.trim();
}

/** Runs a command that must succeed; returns what it prints. */
export async function ok(t: Scratch, ...words: string[]): Promise<string> {
  const { out, err, code } = await t.minictr(words);
  assert.equal(code, 0, err);
  return out;
}

/** Runs a command that must fail so; returns what it says. */
export async function fails(t: Scratch, code: number, ...words: string[]): Promise<string> {
  const ended = await t.minictr(words);
  assert.equal(ended.code, code, `${words.join(" ")}: ${ended.out}${ended.err}`);
  return ended.err;
}

/** What `inspect` calls State. */
export interface ShownState {
  Status: string;
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  Pid: number;
  Supervisor: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
  Health?: { Status: string; FailingStreak: number; Log: { ExitCode: number; Output: string }[] };
}

/** What `inspect` prints of a container. */
export async function inspected(
  t: Scratch,
  name: string,
): Promise<{ Id: string; Name: string; RestartCount: number; State: ShownState }> {
  return JSON.parse(await ok(t, "inspect", name))[0];
}

/** Asks again and again until the answer is given; fails after a minute with the last one. */
export async function until<T>(
  ask: () => Promise<T> | T,
  isRight: (answer: T) => boolean,
  timeoutMs = 60_000,
): Promise<T> {
  for (const end = performance.now() + patient(timeoutMs);;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (performance.now() > end) assert.fail(`still ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
