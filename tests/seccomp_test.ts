import assert from "assert";
import { type Scratch, test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;
const onHost = [...requires, "not-vm"] as const;
const requiresCompiler = [...requires, "command:gcc", "arch:x86_64"] as const;

const [EPERM, EACCES, EFAULT, EINVAL, ENOKEY, ENOSYS] = [1, 13, 14, 22, 126, 38];

/** asm/unistd_64.h, and asm/unistd_x32.h's mark. */
const NR = { socket: 41, clone: 56, personality: 135, keyctl: 250, unshare: 272, clone3: 435 };
const X32_BIT = 0x4000_0000;

const CLONE_NEWUSER = 0x1000_0000n;
const [AF_INET, AF_ALG, AF_VSOCK] = [2n, 38n, 40n];

/** Makes the call whose number and arguments are its words, and says errno. */
const CALL = `
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **word) {
  unsigned long a[7] = {0};
  for (int i = 1; i < count && i < 8; i++) a[i - 1] = strtoul(word[i], 0, 0);
  errno = 0;
  syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
  printf("%d", errno);
}`;

/** A root with /call in it. */
async function rootWithCall(t: Scratch): Promise<string> {
  const rootfs = await t.ownRootfs();
  Deno.writeTextFileSync(`${t.directory}/call.c`, CALL);
  const words = ["gcc", "-static", "-o", `${rootfs}/call`, `${t.directory}/call.c`];
  const { code, err } = await t.start(words).ended;
  assert.equal(code, 0, err);
  return rootfs;
}

/** The errnos of calls, each in a container of its own with `flags`. */
async function errnos(
  t: Scratch,
  flags: readonly string[],
  calls: readonly (readonly [number, ...bigint[]])[],
): Promise<number[]> {
  const script = calls.map((words) => `/call ${words.join(" ")}; echo`).join("; ");
  const { code, out, err } = await t.run(flags, ["sh", "-c", script]);
  assert.equal(code, 0, err);
  return out.trim().split("\n").map(Number);
}

async function mode(t: Scratch, ...flags: string[]): Promise<string> {
  const { code, out, err } = await t.run(flags, ["grep", "^Seccomp:", "/proc/self/status"]);
  assert.equal(code, 0, err);
  return out.trim();
}

function profile(t: Scratch, text: string): string {
  const path = `${t.directory}/profile.json`;
  Deno.writeTextFileSync(path, text);
  return `seccomp=${path}`;
}

test("a container has a filter unless it is unconfined", { requires }, async (t) => {
  assert.equal(await mode(t), "Seccomp:\t2");
  assert.equal(await mode(t, "--security-opt", "seccomp=default"), "Seccomp:\t2");
  assert.equal(await mode(t, "--security-opt", "seccomp=unconfined"), "Seccomp:\t0");
});

test("a container without no_new_privs and CAP_SYS_ADMIN has a filter", { requires }, async (t) => {
  assert.equal(await mode(t, "--cap-drop", "ALL", "--user", "1000"), "Seccomp:\t2");
});

test("sockets of AF_ALG and AF_VSOCK are refused, whatever the high word is", {
  requires: requiresCompiler,
}, async (t) => {
  const rootfs = await rootWithCall(t);
  const high = 1n << 32n;
  const stream = 1n;
  const seen = await errnos(t, ["--rootfs", rootfs], [
    [NR.socket, AF_INET, stream],
    [NR.socket, AF_INET + high, stream],
    [NR.socket, AF_ALG, 5n],
    [NR.socket, AF_ALG + high, 5n],
    [NR.socket, AF_VSOCK, stream],
    [NR.socket, AF_VSOCK + high, stream],
    [NR.socket + X32_BIT, AF_ALG, 5n],
  ]);
  assert.deepEqual(seen, [0, 0, EPERM, EPERM, EPERM, EPERM, EPERM]);
});

test("new user namespaces are refused by unshare(2), clone(2) and clone3(2)", {
  requires: requiresCompiler,
}, async (t) => {
  const rootfs = await rootWithCall(t);
  const seen = await errnos(t, ["--rootfs", rootfs], [
    [NR.unshare, CLONE_NEWUSER],
    [NR.clone, CLONE_NEWUSER],
    [NR.clone3, 0n, 64n],
  ]);
  assert.deepEqual(seen, [EPERM, EPERM, ENOSYS]);
});

test("the keyring, which has no namespace, is out of reach", {
  requires: requiresCompiler,
}, async (t) => {
  const rootfs = await rootWithCall(t);
  const process = 0xffff_fffen; // KEY_SPEC_PROCESS_KEYRING; KEYCTL_GET_KEYRING_ID is 0.
  const call = [[NR.keyctl, 0n, process]] as const;
  assert.deepEqual(await errnos(t, ["--rootfs", rootfs], call), [EPERM]);
  const unconfined = ["--rootfs", rootfs, "--security-opt", "seccomp=unconfined"];
  assert.deepEqual(await errnos(t, unconfined, call), [ENOKEY]);
});

test("CAP_SYS_ADMIN unlocks clone3(2)", {
  requires: [...requiresCompiler, "capability:SYS_ADMIN"],
}, async (t) => {
  const rootfs = await rootWithCall(t);
  const flags = ["--rootfs", rootfs, "--cap-add", "SYS_ADMIN"];
  const [seen] = await errnos(t, flags, [[NR.clone3, 0n, 64n]]);
  assert.ok(seen === EFAULT || seen === EINVAL, String(seen));
});

test("calls newer than the profile are ENOSYS, so that programs fall back", {
  requires: requiresCompiler,
}, async (t) => {
  const rootfs = await rootWithCall(t);
  assert.deepEqual(await errnos(t, ["--rootfs", rootfs], [[600], [999]]), [ENOSYS, ENOSYS]);
});

test("a profile of the user's says which call fails, and how", { requires }, async (t) => {
  const file = profile(
    t,
    JSON.stringify({
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [
        { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: EACCES, args: null },
        { name: "rmdir", action: "SCMP_ACT_ERRNO", excludes: { caps: ["CAP_CHOWN"] } },
        {
          names: ["unlink", "unlinkat", "rmdir"],
          action: "SCMP_ACT_ERRNO",
          includes: { caps: ["CAP_CHOWN"], minKernel: "4.8" },
        },
      ],
    }),
  );
  const flags = ["--security-opt", file, "--tmpfs", "/run"];
  const made = await t.run(flags, ["mkdir", "/run/a"]);
  assert.match(made.err, /Permission denied/);
  const removed = await t.run(flags, ["sh", "-c", "> /run/a; rm /run/a"]);
  assert.match(removed.err, /Operation not permitted/);
  const allowed = await t.run([...flags, "--cap-drop", "CHOWN"], [
    "sh",
    "-c",
    "> /run/a; rm /run/a",
  ]);
  assert.deepEqual([allowed.code, allowed.err], [0, ""]);
});

for (
  const [text, message] of [
    ["{", /is not JSON/],
    ["[]", /must be an object/],
    ["{}", /defaultAction: is missing/],
    ['{"defaultAction":"SCMP_ACT_WAVE"}', /defaultAction: "SCMP_ACT_WAVE" is not an action/],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":7}]}',
      /syscalls\[0\]\.action: must be a string, is 7/,
    ],
  ] as const
) {
  test(`the profile ${text} is one clear line and 125`, { requires: onHost }, async (t) => {
    const { code, out, err } = await t.run(["--security-opt", profile(t, text)], ["true"]);
    assert.deepEqual([code, out], [125, ""]);
    assert.match(err, /^minictr: --security-opt: cannot use the seccomp profile ".*": .*\n$/);
    assert.match(err, message);
  });
}

test("the filter of a bundle's config.json is loaded, and none where it has none", {
  requires,
}, async (t) => {
  const look = ["sh", "-c", "grep ^Seccomp: /proc/self/status; chroot / true"];
  const run = async (seccomp: unknown) => {
    const bundle = await t.bundle(look, ({ linux }) => linux.seccomp = seccomp);
    const { out, err } = await t.minictr(["run", "--rm", "--bundle", bundle, "--name", t.name]);
    return [out, err];
  };
  const syscalls = [{ names: ["chroot"], action: "SCMP_ACT_ERRNO", errnoRet: 13 }];
  assert.deepEqual(await run({ defaultAction: "SCMP_ACT_ALLOW", syscalls }), [
    "Seccomp:\t2\n",
    "chroot: can't change root directory to '/': Permission denied\n",
  ]);
  assert.deepEqual(await run(null), ["Seccomp:\t0\n", ""]);
});

test("a profile that does not exist is one clear line and 125", { requires: onHost }, async (t) => {
  const { code, err } = await t.run(["--security-opt", "seccomp=/no/such.json"], ["true"]);
  assert.equal(code, 125);
  assert.match(err, /^minictr: .*"\/no\/such\.json".*no such file.*\n$/);
});
