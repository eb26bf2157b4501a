import assert from "assert";
import { bar, formatBytes, ProgressLine, type Screen } from "./progress.ts";

function screen(isTerminal: boolean): Screen & { text: string; ms: number } {
  return {
    isTerminal,
    columns: 60,
    text: "",
    ms: 0,
    write(text) {
      this.text += text;
    },
    nowMs() {
      return this.ms;
    },
  };
}

Deno.test("bar() is full at the end, never wider than the line, and never past its end", () => {
  const at = (done: number) => bar({ step: "unpack x", done, total: 200, unit: "bytes" }, 80);
  assert.equal(at(0), `[${".".repeat(24)}]   0 % unpack x (0B of 200B)`);
  assert.equal(at(100), `[${"#".repeat(12)}${".".repeat(12)}]  50 % unpack x (100B of 200B)`);
  assert.ok(at(900).startsWith(`[${"#".repeat(24)}] 100 %`));
  assert.equal(bar({ step: "x".repeat(300), done: 1, total: 2 }, 40).length, 39);
  assert.equal(bar({ step: "copy x", done: 3, unit: "files" }, 80), "copy x (3 files)");
});

Deno.test("ProgressLine redraws one line on a terminal, ten times a second, and takes it away", () => {
  const out = screen(true);
  const line = new ProgressLine(out);
  for (out.ms = 0; out.ms < 1000; out.ms += 10) {
    line.show({ step: "unpack", done: out.ms, total: 1000 });
  }
  line.end();
  line.end();
  assert.equal(out.text.split("\r\x1b[K").length - 1, 11);
  assert.ok(out.text.endsWith("\r\x1b[K") && !out.text.includes("\n"));
});

Deno.test("ProgressLine writes plain lines elsewhere: one for each kind of step, then every 5 s", () => {
  const out = screen(false);
  const line = new ProgressLine(out);
  for (out.ms = 0; out.ms <= 6000; out.ms += 10) line.show({ step: `copy ${out.ms}` });
  line.show({ step: "link applets" });
  line.end();
  assert.equal(out.text, "copy 0\ncopy 5000\nlink applets\n");
});

Deno.test("ProgressLine lets no name steer the terminal", () => {
  const out = screen(true);
  new ProgressLine(out).show({ step: "unpack \x1b]0;owned\x07\u202e" });
  assert.equal(out.text, "\r\x1b[Kunpack ?]0;owned??");
});

Deno.test("formatBytes() has three digits and decimal units", () => {
  const pairs = [[0, "0B"], [999, "999B"], [1000, "1kB"], [1_983_165, "1.98MB"], [
    5e10,
    "50GB",
  ]] as const;
  for (const [bytes, text] of pairs) assert.equal(formatBytes(bytes), text);
});
