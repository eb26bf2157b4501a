import assert from "assert";
import type { Process } from "../spec/mod.ts";
import { parseDetachKeys } from "./detach_keys.ts";
import { EXEC } from "./exec_flags.ts";
import { type ExecContext, execProcess } from "./exec_process.ts";
import { parseCommandLine } from "./grammar.ts";
import { UsageError } from "./usage_error.ts";

const OWN: Process = {
  args: ["server"],
  cwd: "/srv",
  env: ["PATH=/bin", "HOME=/root", "A=1"],
  user: { uid: 0, gid: 0, umask: 0o27 },
  terminal: true,
  consoleSize: { height: 1, width: 1 },
  capabilities: { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"] },
  noNewPrivileges: true,
  oomScoreAdj: 3,
};

const CONTEXT: ExecContext = {
  env: (name) => name === "MINE" ? "m" : undefined,
  readFile: () => new TextEncoder().encode("F=file\nA=file\n"),
  user: (text) =>
    Promise.resolve(
      text === "0"
        ? { user: { uid: 0, gid: 0 }, home: "/root" }
        : { user: { uid: 7, gid: 8 }, home: "/home/seven" },
    ),
  capabilities: (base, { add }) => Promise.resolve([...base, ...add]),
};

function made(...words: string[]): Promise<Process> {
  const line = parseCommandLine(EXEC, [...words, "box", "ls", "-l"]);
  return execProcess(OWN, line, CONTEXT);
}

Deno.test("a command without flags is as the container's own process, without its terminal", async () => {
  const { consoleSize: _, ...own } = OWN;
  assert.deepEqual(await made(), { ...own, args: ["ls", "-l"], terminal: false });
});

Deno.test("flags win over files, and files over the container's environment", async () => {
  const { env } = await made("--env-file", "f", "-e", "F=flag", "-e", "MINE", "-e", "PATH");
  assert.deepEqual(env, ["HOME=/root", "A=file", "F=flag", "MINE=m"]);
});

Deno.test("a terminal brings TERM unless the container has one", async () => {
  assert.ok((await made("-t")).env?.includes("TERM=xterm"));
  assert.ok((await made("-t", "-e", "TERM=vt100")).env?.includes("TERM=vt100"));
});

Deno.test("another user has another home and keeps the umask", async () => {
  const { user, env } = await made("-u", "seven");
  assert.deepEqual(user, { uid: 7, gid: 8, umask: 0o27 });
  assert.ok(env?.includes("HOME=/home/seven"));
  assert.ok((await made("-u", "seven", "-e", "HOME=/x")).env?.includes("HOME=/x"));
});

Deno.test("added capabilities are neither inheritable nor ambient", async () => {
  const names = ["CAP_KILL", "CAP_SYS_TIME"];
  const { capabilities } = await made("--cap-add", "CAP_SYS_TIME");
  assert.deepEqual(capabilities, { bounding: names, effective: names, permitted: names });
});

Deno.test("a working directory that is not absolute is refused", async () => {
  await assert.rejects(made("-w", "srv"), UsageError);
  assert.equal((await made("-w", "/")).cwd, "/");
});

Deno.test("detach keys are the bytes that a terminal sends", () => {
  assert.deepEqual([...parseDetachKeys("ctrl-p,ctrl-q")], [16, 17]);
  assert.deepEqual([...parseDetachKeys("ctrl-@,ctrl-[,a,Z,ctrl-\\,ctrl-_")], [
    0,
    27,
    97,
    90,
    28,
    31,
  ]);
  assert.deepEqual([...parseDetachKeys("")], []);
  for (const text of ["ctrl-", "ctrl-pp", "ctrl-1", "ab", "a,,b", "ä"]) {
    assert.throws(() => parseDetachKeys(text), UsageError, text);
  }
});
