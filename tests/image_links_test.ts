/**
 * Images whose /dev is prepared for an escape, in bundles that mount nothing on /dev.
 */
import assert from "assert";
import { type Ended, type Scratch, test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;

interface Attack {
  /** Makes what the image has in its /dev. */
  prepare(dev: string, secret: string): void;
  process?: Record<string, unknown>;
  linux?: Record<string, unknown>;
}

/** Runs a bundle that mounts proc only; `secret` is a file of the host. */
async function runBundle(
  t: Scratch,
  command: string[],
  { prepare, process, linux }: Attack,
): Promise<Ended & { secret: string }> {
  const bundle = `${t.directory}/bundle`, secret = `${t.directory}/secret`;
  Deno.writeTextFileSync(secret, "host's", { mode: 0o600 });
  Deno.mkdirSync(bundle);
  await t.start(["cp", "-a", t.rootfs, `${bundle}/rootfs`]).ended;
  prepare(`${bundle}/rootfs/dev`, secret);
  const { out } = await t.minictr(["spec"]);
  const spec = JSON.parse(out);
  spec.mounts = spec.mounts.filter(({ type }: { type: string }) => type === "proc");
  Object.assign(spec.process, { args: command, rlimits: [], terminal: false, ...process });
  Object.assign(spec.linux, { maskedPaths: ["/proc/version"], ...linux });
  Deno.writeTextFileSync(`${bundle}/config.json`, JSON.stringify(spec));
  const ended = await t.minictr(["run", "--rm", "--bundle", bundle, "--name", t.name]);
  return { ...ended, secret };
}

const SHOW = ["sh", "-c", "cat /proc/version; echo written >/proc/version"];

test("a link in place of the image's /dev/null leads to no file of the host (CVE-2025-31133)", {
  requires,
}, async (t) => {
  const { code, out, err, secret } = await runBundle(t, SHOW, {
    prepare: (dev, secret) => Deno.symlinkSync(secret, `${dev}/null`),
  });
  assert.deepEqual([code, out], [125, ""], err);
  assert.match(err, /"?\/dev\/null.*symbolic link/);
  assert.equal(Deno.readTextFileSync(secret), "host's");
});

test("a file in place of the image's /dev/null masks nothing", { requires }, async (t) => {
  const { code, out, err } = await runBundle(t, SHOW, {
    prepare: (dev) => Deno.writeTextFileSync(`${dev}/null`, "the image's"),
  });
  assert.deepEqual([code, out], [125, ""], err);
  assert.match(err, /\/dev\/null .*is something else/);
});

test("an image without a /dev/null gets one, and it masks", { requires }, async (t) => {
  // Where the bundle lies on a filesystem without devices, /dev/null cannot be read either.
  const look = ["sh", "-c", "cat /proc/version; ls -l /proc/version"];
  const { code, out, err } = await runBundle(t, look, { prepare: () => {} });
  assert.equal(code, 0, err);
  assert.match(out, /^crw-rw-rw- .* 1, +3 /);
});

test("a link in place of a device of the spec does not give a file of the host to its user", {
  requires,
}, async (t) => {
  const device = { path: "/dev/gift", type: "c", major: 1, minor: 7, uid: 1000, gid: 1000 };
  const { secret } = await runBundle(t, ["true"], {
    prepare: (dev, secret) => Deno.symlinkSync(secret, `${dev}/gift`),
    linux: { devices: [device] },
  });
  const { uid, gid } = Deno.statSync(secret);
  assert.deepEqual([uid, gid], [0, 0]);
});

test("a link in place of the image's ptmx is refused, and what it leads to is not opened", {
  requires,
}, async (t) => {
  const { code, err } = await runBundle(t, ["true"], {
    prepare: (dev, secret) => {
      Deno.mkdirSync(`${dev}/pts`);
      Deno.symlinkSync(secret, `${dev}/pts/ptmx`);
    },
    process: { terminal: true },
  });
  assert.equal(code, 125);
  assert.match(err, /pseudoterminal.*ELOOP/);
});
