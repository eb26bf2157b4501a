/** A terminal window that is closed while minictr is in it. */
import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox", "command:python3"] as const;

test("a closed window ends the shell of run --rm -it, as it would on the host", {
  requires,
}, async (t) => {
  await using terminal = t.onTerminal(t.runWords(["-it"], ["sh"]));
  await terminal.until("# ");
  await terminal.hangUp();
  await terminal.ended; // Of minictr; and what outlives the test fails it.
  assert.equal((await t.minictr(["ps", "-aq"])).out, "");
});

test("a closed window ends the shell of exec -it, and not the container", {
  requires,
}, async (t) => {
  const flags = ["-d", "--name", "box", "--network", "none", "--rootfs", t.rootfs];
  await t.minictr(["run", ...flags, "sleep", "1000"]);
  await using terminal = t.onTerminal(t.words(["exec", "-it", "box", "sh"]));
  await terminal.until("# ");
  await terminal.hangUp();
  await terminal.ended;
  for (let words = ["sh"]; words.includes("sh");) {
    words = (await t.minictr(["top", "box", "-o", "comm"])).out.trim().split("\n");
    assert.ok(words.length >= 2, "the container goes on");
  }
  await t.minictr(["rm", "-f", "box"]);
});
