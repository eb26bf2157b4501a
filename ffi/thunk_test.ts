import assert from "assert";
import { assembleListing, listingIn } from "../tests/support/listing.ts";
import { test } from "../tests/support/mod.ts";
import { AT_FDCWD, F_GETFD, syscall, SyscallError, trySyscall, waitSyscall } from "./mod.ts";
import { THUNK_AARCH64, THUNK_X86_64 } from "./thunk.ts";

const EBADF = 9, ENOENT = 2;
const THUNKS = [
  ["x86_64", "x86_64-linux-gnu-as", THUNK_X86_64],
  ["aarch64", "aarch64-linux-gnu-as", THUNK_AARCH64],
] as const;

for (const [arch, assembler, code] of THUNKS) {
  test(`${assembler} makes each line of the ${arch} thunk into the bytes beside it`, {
    requires: [`command:${assembler}`],
  }, (t) => {
    const source = new URL("./thunk.ts", import.meta.url);
    const lines = listingIn(source, `THUNK_${arch.toUpperCase()}`);
    assert.deepEqual(lines.flatMap(({ bytes }) => bytes), [...code]);
    assert.deepEqual(assembleListing(arch, lines, t.directory), lines);
  });
}

Deno.test("syscall() returns what the kernel returned", () => {
  assert.equal(syscall("getpid"), Deno.pid);
});

Deno.test("syscall() throws the call's name and the error's code", () => {
  assert.throws(
    () => syscall("openat", AT_FDCWD, "/no/such/file", 0, 0),
    (error) =>
      error instanceof SyscallError && error.code === "ENOENT" && error.errno === ENOENT &&
      error.syscall === "openat" &&
      error.message === "openat: no such file or directory (ENOENT)",
  );
});

Deno.test("trySyscall() returns an error as a negative number, and waitSyscall() from another thread too", async () => {
  assert.equal(trySyscall("fcntl", -1, F_GETFD), -EBADF);
  assert.equal(await waitSyscall("fcntl", -1, F_GETFD), -EBADF);
});

Deno.test("errors of calls under way on several threads are not mixed up", async () => {
  const calls = Array.from(
    { length: 64 },
    (_, index) =>
      index % 2 === 0
        ? waitSyscall("close", -1).then((result) => result === -EBADF)
        : waitSyscall("openat", AT_FDCWD, `/no/such/file/${index}`, 0, 0)
          .then((result) => result === -ENOENT),
  );
  for (let index = 0; index < 1000; index++) assert.equal(trySyscall("close", -1), -EBADF);
  assert.deepEqual(await Promise.all(calls), calls.map(() => true));
});

Deno.test("waitSyscall() lets timers go on while the kernel waits", async () => {
  const halfSecond = new Uint8Array(new BigUint64Array([0n, 500_000_000n]).buffer);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 20);
  const ended = await waitSyscall("ppoll", 0, 0, halfSecond, 0, 8);
  clearInterval(timer);
  assert.equal(ended, 0);
  assert.ok(ticks > 5, `${ticks} ticks`);
});

Deno.test("all six arguments arrive in their places", () => {
  // copy_file_range(in, &off_in, out, &off_out, length, flags): its last argument must be 0.
  const directory = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${directory}/from`, "0123456789");
    using from = Deno.openSync(`${directory}/from`);
    using to = Deno.openSync(`${directory}/to`, { write: true, create: true });
    const numbers = [from, to].map((file) => descriptorOf(file));
    const [input = -1, output = -1] = numbers;
    const at = (offset: number) => new Uint8Array(new BigUint64Array([BigInt(offset)]).buffer);
    assert.equal(syscall("copy_file_range", input, at(4), output, at(2), 3, 0), 3);
    assert.throws(
      () => syscall("copy_file_range", input, at(4), output, at(2), 3, 1),
      (error) => error instanceof SyscallError && error.code === "EINVAL",
    );
    assert.equal(Deno.readTextFileSync(`${directory}/to`), "\0\x00456");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

/** The descriptor by which this process has a file open; proc(5). */
function descriptorOf(file: Deno.FsFile): number {
  const { ino } = file.statSync();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.statSync(`/proc/self/fd/${name}`).ino === ino) return Number(name);
    } catch {
      // The descriptor of the directory that is being read.
    }
  }
  throw new Error("cannot find the file among the open ones");
}

Deno.test("text with a NUL inside is refused", () => {
  assert.throws(() => syscall("openat", AT_FDCWD, "/etc/passwd\0.txt", 0, 0), /has a NUL/);
});
