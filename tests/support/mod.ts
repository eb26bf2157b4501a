/**
 * What the tests of the program share.
 *
 * `scratch.ts` gives each test a scratch and fails it when something is left; `requires.ts` judges what
 * the machine lacks; `program.ts` and `terminal.ts` start programs; `rootfs.ts` and `probe.ts` are a
 * root file system and a process in it that reports what it sees; `run.ts` and `leftovers.ts` name
 * all that a run makes and find what remains of it.
 *
 * @module
 */
export { Container } from "./container.ts";
export { type Ended, minictrCommand, patient, Program } from "./program.ts";
export { type Need, requires } from "./requires.ts";
export { IN_VM, PROJECT } from "./run.ts";
export { parseProbe, type Probe, type ProbeMount } from "./probe.ts";
export { Scratch, test, type TestOptions } from "./scratch.ts";
export { Terminal } from "./terminal.ts";
export { testRootfs } from "./rootfs.ts";
