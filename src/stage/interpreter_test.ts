import assert from "assert";
import { assembleListing, listingIn } from "../../tests/support/listing.ts";
import { test } from "../../tests/support/mod.ts";
import { ELF_ENTRY_AARCH64, INTERPRETER_AARCH64 } from "./interpreter_aarch64.ts";
import { ELF_ENTRY_X86_64, INTERPRETER_X86_64 } from "./interpreter_x86_64.ts";

const INTERPRETERS = [
  ["x86_64", "x86_64-linux-gnu-as", INTERPRETER_X86_64, ELF_ENTRY_X86_64],
  ["aarch64", "aarch64-linux-gnu-as", INTERPRETER_AARCH64, ELF_ENTRY_AARCH64],
] as const;

for (const [arch, assembler, code, entry] of INTERPRETERS) {
  const source = new URL(`./interpreter_${arch}.ts`, import.meta.url);
  const lines = listingIn(source, `INTERPRETER_${arch.toUpperCase()}`);

  test(`${assembler} makes each line of the ${arch} interpreter into the bytes beside it`, {
    requires: [`command:${assembler}`],
  }, (t) => {
    assert.deepEqual(lines.flatMap(({ bytes }) => bytes), [...code]);
    assert.deepEqual(assembleListing(arch, lines, t.directory), lines);
  });

  Deno.test(`an executable enters the ${arch} interpreter at the label elf_entry`, () => {
    const before = lines.slice(0, lines.findIndex(({ text }) => text === "elf_entry:"));
    assert.equal(before.flatMap(({ bytes }) => bytes).length, entry);
  });
}
