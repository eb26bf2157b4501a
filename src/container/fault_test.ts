import assert from "assert";
import { call, slot, step } from "../plan/mod.ts";
import { wantedFault, withFault } from "./fault.ts";

function wanted(text: string | undefined) {
  const before = Deno.env.get("MINICTR_FAULT");
  if (text === undefined) Deno.env.delete("MINICTR_FAULT");
  else Deno.env.set("MINICTR_FAULT", text);
  try {
    return wantedFault();
  } finally {
    if (before === undefined) Deno.env.delete("MINICTR_FAULT");
    else Deno.env.set("MINICTR_FAULT", before);
  }
}

Deno.test("MINICTR_FAULT names a fault and a step, and nothing else counts", () => {
  assert.deepEqual(wanted("kill:3"), { kind: "kill", step: 3 });
  assert.deepEqual(wanted("fail:12"), { kind: "fail", step: 12 });
  for (const text of [undefined, "", "kill", "kill:", "kill:x", "stop:3", "kill:3 ", "xkill:3"]) {
    assert.equal(wanted(text), undefined, text);
  }
});

const steps = [
  step("first", [call("getpid", [])]),
  step("second", [call("getpid", [], { id: "label" }), call("getuid", [])]),
  step("third", []),
];
const namesOf = (changed: typeof steps) =>
  changed.map(({ calls }) => calls.map(({ name }) => name));

Deno.test("a fault stands in front of its step's calls, counted from the side's first step", () => {
  const changed = withFault(steps, { kind: "fail", step: 10 }, 10, undefined);
  assert.deepEqual(namesOf(changed), [["close", "getpid"], ["getpid", "getuid"], []]);
  const empty = withFault(steps, { kind: "fail", step: 12 }, 10, undefined);
  assert.deepEqual(namesOf(empty), [["getpid"], ["getpid", "getuid"], ["close"]]);
});

Deno.test("a step of the other side, or no fault, leaves the steps as they are", () => {
  for (const number of [9, 13]) {
    assert.equal(withFault(steps, { kind: "kill", step: number }, 10, undefined), steps);
  }
  assert.equal(withFault(steps, undefined, 10, undefined), steps);
});

Deno.test("who jumps to the step's label meets the fault first", () => {
  const [, changed] = withFault(steps, { kind: "fail", step: 2 }, 1, undefined);
  assert.deepEqual(changed?.calls.map(({ name, id }) => [name, id]), [
    ["close", "label"],
    ["getpid", undefined],
    ["getuid", undefined],
  ]);
});

Deno.test("minictr kills itself on its side, and on the stage's is asked to by a message", () => {
  const [here] = namesOf(withFault(steps, { kind: "kill", step: 1 }, 1, undefined));
  assert.deepEqual(here, ["getpid", "kill", "getpid"]);
  const [there] = namesOf(withFault(steps, { kind: "kill", step: 1 }, 1, slot("channel")));
  assert.deepEqual(there, ["write", "read", "getpid"]);
});
