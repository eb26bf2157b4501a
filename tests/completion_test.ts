import assert from "assert";
import { minictrCommand, type Scratch, test } from "./support/mod.ts";

const NEEDS = {
  requires: ["not-vm", "root", "command:busybox", "command:bash"],
  timeoutMs: 90_000,
} as const;

/** A `minictr` in a directory of its own, and the containers "web", "db" and the volume "data". */
async function prepared(t: Scratch): Promise<Record<string, string>> {
  const bin = `${t.directory}/bin`;
  Deno.mkdirSync(bin);
  const words = [...minictrCommand(), "--root", t.root].map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(`${bin}/minictr`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  for (const name of ["web", "db"]) {
    const flags = ["--network", "none", "--rootfs", `${t.rootfs}:O`];
    assert.equal((await t.minictr(["create", "--name", name, ...flags, "true"])).code, 0);
  }
  assert.equal((await t.minictr(["volume", "create", "data"])).code, 0);
  for (const shell of ["bash", "zsh", "fish"]) {
    const { out } = await t.minictr(["completion", shell]);
    Deno.writeTextFileSync(`${t.directory}/${shell}`, out);
  }
  return { PATH: `${bin}:${Deno.env.get("PATH")}`, HOME: t.directory };
}

/** What each line becomes, by what a shell offers for its last word. */
const OFFERED: readonly [line: string, offered: string[]][] = [
  ["minictr vol", ["volume"]],
  ["minictr volume ins", ["inspect"]],
  ["minictr rm ", ["db", "web"]],
  ["minictr rm -f w", ["web"]],
  ["minictr stop ", []],
  ["minictr volume rm ", ["data"]],
  ["minictr run --cap-ad", ["--cap-add"]],
  ["minictr run --network ho", ["host"]],
  ["minictr ps --no-t", ["--no-trunc"]],
  ["minictr container ren", ["rename"]],
  ["minictr cp we", ["web:"]],
];

test("bash offers commands, flags and what there is", NEEDS, async (t) => {
  const env = await prepared(t);
  for (const [line, offered] of [...OFFERED, ["minictr run --pull=al", ["always"]] as const]) {
    const script = `source '${t.directory}/bash'; COMP_LINE=$1; COMP_POINT=\${#1}; _minictr; ` +
      "printf '%s\\n' \"${COMPREPLY[@]}\"";
    const { out, err } = await t.start(["bash", "-c", script, "bash", line], { env }).ended;
    const words = out.split("\n").filter((word) => word !== "");
    assert.deepEqual(words.sort(), offered, `${line}: ${err}`);
  }
  const { out } = await t.start(
    ["bash", "-c", `source '${t.directory}/bash'; complete -p minictr`],
    { env },
  ).ended;
  assert.match(out, /-F _minictr minictr/);
  assert.equal((await t.minictr(["rm", "web", "db"])).code, 0);
});

test("zsh offers the same", {
  ...NEEDS,
  requires: [...NEEDS.requires, "command:zsh"],
}, async (t) => {
  const env = await prepared(t);
  for (const [line, offered] of OFFERED) {
    // compadd is zsh's own builtin inside of a completion alone: here it says what it was given.
    const script =
      "compdef() { :; }; compadd() { [[ $1 == -S ]] && shift 2; shift; print -l -- $@; }; " +
      `_files() { :; }; source '${t.directory}/zsh'; words=("\${(@s: :)1}"); CURRENT=\${#words}; _minictr`;
    const { out, err } = await t.start(["zsh", "-fc", script, "zsh", line], { env }).ended;
    const words = out.split("\n").filter((word) => word !== "");
    assert.deepEqual(words.sort(), offered, `${line}: ${err}`);
  }
  assert.equal((await t.minictr(["rm", "web", "db"])).code, 0);
});

test("fish offers the same", {
  ...NEEDS,
  requires: [...NEEDS.requires, "command:fish"],
}, async (t) => {
  const env = await prepared(t);
  for (const [line, offered] of OFFERED) {
    const script = `source '${t.directory}/fish'; cd '${t.directory}/bin'; complete -C "$argv[1]"`;
    const { out, err } = await t.start(["fish", "--no-config", "-c", script, line], { env }).ended;
    const words = out.split("\n").map((row) => row.split("\t")[0] ?? "").filter((word) =>
      word !== ""
    );
    const named = line.startsWith("minictr cp") ? words.filter((word) => word === "web:") : words;
    assert.deepEqual(named.sort(), offered, `${line}: ${err}`);
  }
  assert.equal((await t.minictr(["rm", "web", "db"])).code, 0);
});
