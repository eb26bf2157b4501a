import assert from "assert";
import type { LinuxSeccomp } from "../../spec/types.ts";
import { type Scratch, test } from "../../../tests/support/mod.ts";
import { compileSeccomp } from "./compile.ts";
import { defaultProfile } from "./default_profile.ts";

const NEEDS = ["arch:x86_64", "command:bwrap", "command:python3"] as const;

/** Prints the errno, or 0, of each system call given as "number,argument,…". */
const CALLER = `
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for call in sys.argv[1:]:
    ctypes.set_errno(0)
    failed = libc.syscall(*[ctypes.c_long(int(word, 0)) for word in call.split(",")]) == -1
    print(ctypes.get_errno() if failed else 0, flush=True)
`;

/** Lets bubblewrap load the filter, and makes calls behind it. */
async function callsUnder(t: Scratch, profile: LinuxSeccomp, calls: readonly string[]) {
  const path = `${t.directory}/filter`;
  await Deno.writeFile(path, compileSeccomp(profile, "x86_64").filter);
  const script = 'exec bwrap --dev-bind / / --seccomp 9 -- "$@" 9<"$FILTER"';
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", "python3", "-c", CALLER, ...calls],
    env: { FILTER: path },
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  return { code, errnos: text.split("\n").map(Number), stderr: new TextDecoder().decode(stderr) };
}

const EPERM = 1;
const ENOSYS = 38;

/** What each call under the default profile, without capabilities, ends with. */
const EXPECTED: Readonly<Record<string, [call: string, errno: number]>> = {
  "a UNIX socket is made": ["41,1,1,0", 0],
  "a socket of AF_ALG is denied": ["41,38,5,0", EPERM],
  "a socket of AF_ALG with bits that the kernel cuts off is denied": ["41,0x100000026,5,0", EPERM],
  "a socket of AF_VSOCK is denied": ["41,40,1,0", EPERM],
  "personality(0xffffffff) answers": ["135,0xffffffff", 0],
  "personality(ADDR_NO_RANDOMIZE) is denied": ["135,0x40000", EPERM],
  "clone(CLONE_NEWUSER) is denied": ["56,0x10000000,0,0,0,0", EPERM],
  "clone3 is unknown": ["435,0,0", ENOSYS],
  "unshare(CLONE_NEWUSER) is denied": ["272,0x10000000", EPERM],
  "keyctl is denied": ["250,0,0", EPERM],
  "io_uring_setup is denied": ["425,1,0", EPERM],
  "chroot is denied": ["161,0", EPERM],
  "a call that no profile knows is unknown": ["600", ENOSYS],
};

test("the kernel takes the default profile's filter and answers by it", {
  requires: NEEDS,
}, async (t) => {
  const inputs = { capabilities: new Set<string>(), arch: "x86_64", kernel: [6, 1] } as const;
  const calls = Object.values(EXPECTED).map(([call]) => call);
  const { code, errnos, stderr } = await callsUnder(t, defaultProfile(inputs), calls);
  assert.equal(code, 0, stderr);
  for (const [index, [name, [, errno]]] of Object.entries(EXPECTED).entries()) {
    assert.equal(errnos[index], errno, name);
  }
});

test("a call of x32 kills where only x86-64 is listed, before any rule", {
  requires: NEEDS,
}, async (t) => {
  const profile = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"] };
  const { code, errnos } = await callsUnder(t, profile, ["39", "0x40000027", "39"]);
  assert.deepEqual([code, errnos], [128 + 31, [0]]); // SIGSYS
});

test("a filter of nearly 4096 instructions is taken by the kernel", {
  requires: NEEDS,
}, async (t) => {
  const args = Array.from(Array(800).keys(), (value) => ({ index: 1, value, op: "SCMP_CMP_EQ" }));
  const syscalls = [{ names: ["keyctl"], action: "SCMP_ACT_ERRNO", errnoRet: 99, args }];
  const profile = { defaultAction: "SCMP_ACT_ALLOW", syscalls };
  const length = compileSeccomp(profile, "x86_64").filter.length / 8;
  assert.ok(length > 3000 && length <= 4096, `${length}`);
  const { errnos, stderr } = await callsUnder(t, profile, ["250,0,799", "250,0,0", "39"]);
  assert.deepEqual(errnos, [99, 99, 0], stderr);
});
