/**
 * The demonstration holds; and it fails where something does not.
 */
import assert from "assert";
import { IN_VM, patient, PROJECT, type Scratch, test } from "./support/mod.ts";

const NEEDS = ["root", "command:busybox", "command:unshare", "controller:memory"] as const;

async function demo(t: Scratch, words: readonly string[], env: Record<string, string> = {}) {
  const deno = [Deno.execPath(), "run", "-A", "--no-lock", "--cached-only", "tools/demo.ts"];
  await using program = t.start([...deno, ...words], {
    cwd: PROJECT,
    env,
    timeoutMs: patient(110_000),
  });
  return await program.ended;
}

test("every claim of the demonstration holds", {
  requires: NEEDS,
  timeoutMs: 120_000,
}, async (t) => {
  // In the virtual machine those that its cgroups decide.
  const { code, out, err } = await demo(t, IN_VM ? ["memory", "cpu", "pids"] : []);
  assert.equal(code, 0, out + err);
  assert.match(out, IN_VM ? /^6 hold, 0 do not$/m : /^17 hold, 0 do not$/m);
});

test("the demonstration ends with 1 where a claim does not hold", {
  requires: NEEDS,
}, async (t) => {
  // An engine whose containers are not alone: the command is run on the host.
  const engine = `${t.directory}/engine`;
  await Deno.writeTextFile(engine, '#!/bin/sh\ncase "$*" in *" ps -o "*) ps -e ;; esac\n');
  await Deno.chmod(engine, 0o755);
  const { code, out } = await demo(t, ["isolation"], { MINICTR: engine });
  assert.equal(code, 1, out);
  assert.match(out, /^does not hold: there is process 1, and no other$/m);
});
