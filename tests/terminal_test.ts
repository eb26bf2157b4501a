import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox", "command:python3"] as const;

test("run -it gives a shell whose exit code comes back", { requires }, async (t) => {
  await using terminal = t.onTerminal(t.runWords(["-it"], ["sh"]));
  await terminal.until("# ");
  await terminal.type("tty; echo $((6 * 7))\r");
  await terminal.until(/\/dev\/(pts\/\d+|console)\r\n42\r\n/);
  await terminal.type("exit 7\r");
  assert.equal((await terminal.ended).code, 7);
});

test("the container's terminal has the caller's size and follows it", { requires }, async (t) => {
  await using terminal = t.onTerminal(t.runWords(["-it"], ["sh"]), { rows: 30, columns: 100 });
  await terminal.until("# ");
  await terminal.type("stty size\r");
  await terminal.until("30 100");
  await terminal.resize(41, 121);
  await terminal.type("sleep 0.3; stty size\r");
  await terminal.until("41 121");
  await terminal.type("exit\r");
  assert.equal((await terminal.ended).code, 0);
});

test("Ctrl-C interrupts the command in the container and not minictr", { requires }, async (t) => {
  await using terminal = t.onTerminal(t.runWords(["-it"], ["sh"]));
  await terminal.until("# ");
  await terminal.type("sleep 100\r");
  await terminal.until("sleep 100");
  await new Promise((resolve) => setTimeout(resolve, 300));
  await terminal.type("\x03");
  await terminal.until(/\^C[^]*# $/);
  await terminal.type("echo $?; exit\r");
  await terminal.until("130");
  assert.equal((await terminal.ended).code, 0);
});

test(
  "Ctrl-Z stops a job of the container's shell, and fg continues it",
  { requires },
  async (t) => {
    await using terminal = t.onTerminal(t.runWords(["-it"], ["sh"]));
    await terminal.until("# ");
    await terminal.type("sleep 2; echo over\r");
    await new Promise((resolve) => setTimeout(resolve, 200));
    await terminal.type("\x1a");
    await terminal.until(/Stopped/);
    await terminal.type("fg\r");
    await terminal.type("exit\r");
    assert.equal((await terminal.ended).code, 0);
  },
);

test("run -it leaves the caller's terminal as it was", { requires }, async (t) => {
  const script = 'stty -g; "$@" && stty -g; echo over';
  const words = t.runWords(["-it"], ["true"]);
  await using terminal = t.onTerminal(["sh", "-c", script, "sh", ...words]);
  await terminal.until("over");
  const settings = terminal.shown.split("\r\n").filter((line) =>
    /^[0-9a-f]+(:[0-9a-f]+)+$/.test(line)
  );
  assert.equal(settings.length, 2, terminal.shown);
  assert.equal(settings[0], settings[1]);
});

test("run -t needs no terminal of the caller's to make one", { requires }, async (t) => {
  const { out, err } = await t.run(["-t"], ["sh", "-c", "test -t 1 && echo terminal"]);
  assert.match(out, /^terminal\r?\n$/, err);
});

test("the container cannot reach the caller's terminal", { requires }, async (t) => {
  const words = t.runWords(["-it"], ["sh", "-c", "ls /dev/pts; echo over"]);
  await using terminal = t.onTerminal(words);
  await terminal.until("over");
  assert.match(terminal.shown, /^(0\s+)?ptmx\s+over/);
});
