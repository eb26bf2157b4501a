/**
 * Runs the kernel and system suites in one boot of the virtual machine.
 *
 *     deno run -A tools/test_vm.ts [OPTION OF tests/vm/vm]... [--] [SUITE|FILE]...
 */
import { ROOT } from "./source.ts";

const MEMORY_MB = "2048";
const LIMIT_S = "3600";
/** Something to limit the I/O of; it is mounted at /disk. */
const DISK_MB = "64";

/** Splits at "--": what the machine is told, and what the runner in it is. */
function split(args: readonly string[]): [options: string[], suites: string[]] {
  const at = args.indexOf("--");
  const options = at < 0 ? args : args.slice(0, at);
  const suites = at < 0 ? [] : args.slice(at + 1);
  return [[...options], suites.length > 0 ? [...suites] : ["kernel", "system"]];
}

const [options, suites] = split(Deno.args);
const runner = ["deno", "run", "-A", "--no-lock", "--cached-only", "tools/test.ts", ...suites];
const { code } = await new Deno.Command(`${ROOT}tests/vm/vm`, {
  args: ["--mem", MEMORY_MB, "--timeout", LIMIT_S, "--disk", DISK_MB, ...options, "--", ...runner],
  cwd: ROOT,
  env: { MINICTR_DENO: Deno.execPath() },
}).spawn().status;
Deno.exit(code);
