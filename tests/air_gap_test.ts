/**
 * No command opens a connection but to an address that it is given: each runs in a network namespace
 * in which not even the loopback is up, and strace(1) looks on.
 */
import assert from "assert";
import settings from "../deno.json" with { type: "json" };
import { minictrCommand, PROJECT, type Scratch, test } from "./support/mod.ts";

const NEEDS = ["root", "not-vm", "command:strace", "command:unshare", "command:busybox"] as const;

/** The calls of a command, and what it started, that lead out of the machine. */
async function sentOut(t: Scratch, args: readonly string[]): Promise<string[]> {
  const trace = `${t.directory}/trace`;
  const strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", trace];
  const calls = ["-e", "trace=connect,sendto,sendmsg,sendmmsg"];
  await using program = t.start(
    ["unshare", "--net", ...strace, ...calls, ...minictrCommand(), "--root", t.root, ...args],
    { timeoutMs: 120_000 },
  );
  const { code, err } = await program.ended;
  assert.ok(code === 0 || args.includes(ADDRESS), `${args.join(" ")}: ${code} ${err}`);
  return (await Deno.readTextFile(trace)).split("\n").filter((line) => /AF_INET6?\b/.test(line));
}

/** Of the block that documentation may use; RFC 5737. */
const ADDRESS = "http://192.0.2.1/rootfs.tar";

test("no command leaves the machine, but for an address that it is given", {
  requires: NEEDS,
  timeoutMs: 180_000,
}, async (t) => {
  await t.minictr(["rootfs", "build", "-q", "--name", "builtin", "busybox"]);
  await t.minictr(["run", "-d", "--name", t.name, "--network", "none", "sleep", "100"]);
  const commands = [
    ["version"],
    ["info"],
    ["rootfs", "build", "-q", "busybox"],
    ["run", "--network", "none", "true"],
    ["run", "-d", "--network", "none", "true"], // strace waits for its end.
    ["exec", t.name, "true"],
    ["ps"],
    ["inspect", t.name],
    ["logs", t.name],
    ["rm", "-f", t.name],
    ["rootfs", "ls"],
  ];
  for (const args of commands) assert.deepEqual(await sentOut(t, args), [], args.join(" "));
  const digest = "0".repeat(64);
  const given = await sentOut(t, ["rootfs", "build", "tar", "--sha256", digest, ADDRESS]);
  assert.match(given.join("\n"), /192\.0\.2\.1/);
});

test("a fresh checkout runs without a download, with an empty cache of Deno's", {
  requires: NEEDS,
}, async (t) => {
  const words = settings.tasks.minictr.split(" ").map((word) =>
    word === "deno" ? Deno.execPath() : word
  );
  await using program = t.start(["unshare", "--net", ...words, "--root", t.root, "rootfs", "ls"], {
    cwd: PROJECT,
    env: { DENO_DIR: `${t.directory}/cache` },
  });
  const { code, err } = await program.ended;
  assert.deepEqual([code, err], [0, ""]);
});
