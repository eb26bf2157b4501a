import assert from "assert";
import { test } from "../../tests/support/mod.ts";
import { diagnose } from "./diagnose.ts";

const ENOENT = 2, ENOEXEC = 8, EACCES = 13, ENOTDIR = 20;

/** A 64-bit little-endian ELF file of a machine, which names an interpreter. */
function elf(machine: number, interpreter: string): Uint8Array {
  const file = new Uint8Array(256);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, 64n, true); // e_phoff
  view.setUint16(54, 56, true); // e_phentsize
  view.setUint16(56, 1, true); // e_phnum
  view.setUint32(64, 3, true); // PT_INTERP
  view.setBigUint64(72, 128n, true); // p_offset
  view.setBigUint64(96, BigInt(interpreter.length + 1), true); // p_filesz
  file.set(new TextEncoder().encode(interpreter), 128);
  return file;
}

const OWN_MACHINE = Deno.build.arch === "aarch64" ? 183 : 62;
const RISCV = 243;
const sh = "#!/bin/sh\necho hello\n";

const CASES: [
  about: string,
  content: string | Uint8Array | "directory" | undefined,
  errno: number,
  said: RegExp,
  exitCode: number,
][] = [
  ["a file that is not there", undefined, ENOENT, /no such file or directory$/, 127],
  ["a path through a file", undefined, ENOTDIR, /no such file or directory$/, 127],
  ["a file without the right to execute it", sh, EACCES, /permission denied .*chmod \+x/, 126],
  ["a directory", "directory", EACCES, /is a directory$/, 126],
  ["a script whose interpreter is missing", "#!/no/sh -e\n", ENOENT, /interpreter "\/no\/sh"/, 127],
  ["a script with a blank before its interpreter", "#! /no/sh\n", ENOENT, /"\/no\/sh"/, 127],
  ["a script whose line ends in a carriage return", "#!/bin/sh\r\n", ENOENT, /dos2unix/, 127],
  ["a script that never ends its line", "#!/no/sh", ENOENT, /"\/no\/sh"/, 127],
  ["text without an interpreter", "echo hello\n", ENOEXEC, /neither a program nor a script/, 126],
  ["an empty file", "", ENOEXEC, /neither a program nor a script/, 126],
  ["a program for another machine", elf(RISCV, "/x"), ENOEXEC, /a program for riscv64/, 126],
  ["a program for an unknown machine", elf(9999, "/x"), ENOEXEC, /for machine 9999/, 126],
  [
    "a program whose loader is missing",
    elf(OWN_MACHINE, "/lib/no.so"),
    ENOENT,
    /ELF interpreter "\/lib\/no.so"/,
    127,
  ],
  ["half an ELF header", elf(OWN_MACHINE, "/x").slice(0, 20), ENOEXEC, /neither a program/, 126],
  ["something that the kernel refuses otherwise", sh, 1, /cannot be executed$/, 126],
];

for (const [about, content, errno, said, exitCode] of CASES) {
  test(`${about} is told as such, with ${exitCode}`, { requires: ["root"] }, (t) => {
    const path = `${t.directory}/command`;
    if (content === "directory") Deno.mkdirSync(path);
    else if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else if (content !== undefined) Deno.writeFileSync(path, content);
    const diagnosis = diagnose(Deno.pid, path, [{ path, errno }]);
    assert.match(diagnosis.text, said);
    assert.ok(diagnosis.text.startsWith(`"${path}"`) && !diagnosis.text.includes("\n"));
    assert.equal(diagnosis.exitCode, exitCode);
  });
}

test("a command that is in no directory of PATH is told by its own name, with 127", {
  requires: ["root"],
}, (t) => {
  const tried = ["a", "b"].map((name) => ({
    path: `${t.directory}/${name}/command`,
    errno: ENOENT,
  }));
  assert.deepEqual(diagnose(Deno.pid, "command", tried), {
    text: '"command": executable file not found in $PATH',
    exitCode: 127,
  });
});

test("of several places in PATH the one is told where something was", {
  requires: ["root"],
}, (t) => {
  Deno.writeTextFileSync(`${t.directory}/second`, sh);
  const tried = [
    { path: `${t.directory}/first`, errno: ENOENT },
    { path: `${t.directory}/second`, errno: EACCES },
    { path: `${t.directory}/third`, errno: ENOENT },
  ];
  const { text, exitCode } = diagnose(Deno.pid, "command", tried);
  assert.ok(text.startsWith(`"${t.directory}/second": permission denied`), text);
  assert.equal(exitCode, 126);
});

test("a process that has ended, and with it its root, is not needed for an answer", {
  requires: ["root"],
}, () => {
  const NOBODY = 2 ** 22 + 1; // Above the highest process id.
  const { exitCode } = diagnose(NOBODY, "/bin/sh", [{ path: "/bin/sh", errno: ENOENT }]);
  assert.equal(exitCode, 127);
});

Deno.test("diagnose() does not take an empty command for a directory of PATH", () => {
  assert.deepEqual(diagnose(Deno.pid, "", [{ path: "/usr/bin/", errno: EACCES }]), {
    text: '"": executable file not found in $PATH',
    exitCode: 127,
  });
});
