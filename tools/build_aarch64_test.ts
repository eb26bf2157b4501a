/**
 * The executable for the other machine, run under QEMU's user emulation: whatever it prints was
 * computed by that machine's code.
 */
import assert from "assert";
import { ROOT } from "./source.ts";
import { output } from "./build/target.ts";
import { requires, skipMark } from "../tests/support/requires.ts";

/** A release that the npm registry has for aarch64. */
const DENO = "2.9.5";
/** Debian's libc6-arm64-cross. */
const LIBRARIES = "/usr/aarch64-linux-gnu";

const lack = requires(
  "slow",
  "arch:x86_64",
  "command:npm",
  "command:apt-get",
  "command:qemu-aarch64-static",
  `file:${LIBRARIES}/lib/ld-linux-aarch64.so.1`,
);

Deno.test({
  name: "the executable for aarch64 says its version and plans a start, with a busybox of aarch64" +
    (lack ? skipMark(lack.need, lack.reason) ?? "" : ""),
  ignore: lack !== undefined,
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "minictr-build-test-" });
    try {
      const args = ["--target", "aarch64", "--deno", DENO, "--to", directory, "portable"];
      const build = [Deno.execPath(), "run", "-A", "--no-lock", "--cached-only", "tools/build.ts"];
      await output([...build, ...args], ROOT);
      const start = (await Deno.readFile(`${directory}/minictr`)).subarray(0, 4096);
      const [, offset = ""] = /offset=(\d+)/.exec(new TextDecoder().decode(start)) ?? [];
      await output(["sh", "-c", `tail -c +${offset} minictr | tar -xz`], directory);
      await output(["tar", "-xzf", "rootfs.tar.gz"], directory);

      const minictr = async (...words: string[]) =>
        await output([
          ...["qemu-aarch64-static", "-L", LIBRARIES, "./deno", "run", "-A", "--cached-only"],
          ...["--no-config", "--no-lock", "./whole.js", ...words],
        ], directory);
      assert.match(await minictr("version"), /^OS\/Arch: +linux\/arm64$/m);
      const plan = await minictr("run", "--explain", "--network", "none", "--rootfs", ".", "true");
      assert.match(plan, /execve\(/);
      const busybox = ["qemu-aarch64-static", "bin/busybox", "uname", "-m"];
      assert.equal(await output(busybox, directory), "aarch64\n");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
