import assert from "assert";
import { assembleListing, listingIn } from "../tests/support/listing.ts";
import { test } from "../tests/support/mod.ts";
import { HANDLER_AARCH64, HANDLER_X86_64 } from "./signal_handler.ts";

const HANDLERS = [
  ["x86_64", "x86_64-linux-gnu-as", HANDLER_X86_64],
  ["aarch64", "aarch64-linux-gnu-as", HANDLER_AARCH64],
] as const;

for (const [arch, assembler, code] of HANDLERS) {
  test(`${assembler} makes each line of the ${arch} handler into the bytes beside it`, {
    requires: [`command:${assembler}`],
  }, (t) => {
    const source = new URL("./signal_handler.ts", import.meta.url);
    const lines = listingIn(source, `HANDLER_${arch.toUpperCase()}`);
    assert.deepEqual(lines.flatMap(({ bytes }) => bytes), [...code]);
    assert.deepEqual(assembleListing(arch, lines, t.directory), lines);
  });
}

/** What is not caught, by number: of the kernel's alone, of faults, of job control, and of the runtime's own. */
const KEPT = new Set([4, 5, 6, 7, 8, 9, 11, 13, 17, 19, 20, 21, 22, 23, 31, 32, 33]);
const CAUGHT = Array.from({ length: 64 }, (_, index) => index + 1)
  .filter((signal) => !KEPT.has(signal));

/** Runs statements in a process of their own, `signals` being the pipe of caught ones. */
async function inChild(statements: string): Promise<{ code: number; out: string; err: string }> {
  const door = new URL("./mod.ts", import.meta.url);
  const script = `
    import { catchSignals, syscall, trySyscall } from "${door}";
    const signals = catchSignals();
    const bytes = new Uint8Array(256);
    const read = () => [...bytes.subarray(0, Math.max(0, trySyscall("read", signals, bytes, 256)))];
    ${statements}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decode = (text: Uint8Array) => new TextDecoder().decode(text);
  return { code, out: decode(stdout), err: decode(stderr) };
}

Deno.test("catchSignals() makes each signal that can be caught one byte, its number", async () => {
  const { code, out, err } = await inChild(`
    const got = ${JSON.stringify(CAUGHT)}.map((signal) => {
      syscall("kill", Deno.pid, signal);
      syscall("kill", Deno.pid, 0);
      return read();
    });
    console.log(JSON.stringify([got, trySyscall("read", signals, bytes, 256)]));`);
  assert.equal(code, 0, err);
  const EAGAIN = 11;
  assert.deepEqual(JSON.parse(out), [CAUGHT.map((signal) => [signal]), -EAGAIN]);
});

Deno.test("a signal that is caught a hundred times does nothing else to a busy program", async () => {
  const { code, out, err } = await inChild(`
    let count = 0;
    for (let turn = 0; turn < 100; turn++) {
      Deno.kill(Deno.pid, "SIGTERM");
      JSON.stringify(Array.from({ length: 100 }, (_, index) => index * turn));
      count += read().length;
    }
    const end = performance.now() + 1000;
    while (count < 100 && performance.now() < end) count += read().length;
    console.log(count);`);
  assert.deepEqual([code, out], [0, "100\n"], err);
});

Deno.test("a signal that is caught does not interrupt a read that waits", async () => {
  const { code, out, err } = await inChild(`
    const ends = new Int32Array(2);
    syscall("pipe2", new Uint8Array(ends.buffer), 0);
    const child = new Deno.Command("sh", {
      args: ["-c", "kill -TERM " + Deno.pid + "; sleep 0.2; printf x >/proc/" + Deno.pid + "/fd/" + ends[1]],
    }).spawn();
    console.log(trySyscall("read", ends[0]!, bytes, 1), read().length);
    await child.status;`);
  assert.deepEqual([code, out], [0, "1 1\n"], err);
});
