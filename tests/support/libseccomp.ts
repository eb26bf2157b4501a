/**
 * libseccomp, called as runc calls it: the judge of what a profile means.
 *
 * @see seccomp_init(3), seccomp_rule_add(3), seccomp_export_bpf(3)
 */
import type { LinuxSeccomp, LinuxSeccompArg, LinuxSyscall } from "../../src/spec/types.ts";
import { type Answer, runFilter, type SeccompData } from "./bpf.ts";

/** Where Debian's package libseccomp2 has the library. */
export const LIBSECCOMP = `/usr/lib/${Deno.build.arch}-linux-gnu/libseccomp.so.2`;

/** SCMP_ARCH_*: AUDIT_ARCH_*, but for x32, which has a name of the library's own. */
export const ARCH_TOKENS: Readonly<Record<string, number>> = {
  SCMP_ARCH_X86_64: 0xc000_003e,
  SCMP_ARCH_X86: 0x4000_0003,
  SCMP_ARCH_X32: 0x4000_003e,
  SCMP_ARCH_AARCH64: 0xc000_00b7,
  SCMP_ARCH_ARM: 0x4000_0028,
};

const ENOSYS = 0x0005_0026;
const NATIVE: Readonly<Record<string, string>> = {
  x86_64: "SCMP_ARCH_X86_64",
  aarch64: "SCMP_ARCH_AARCH64",
};
const SCMP_FLTATR_ACT_BADARCH = 2;
const SCMP_FLTATR_CTL_OPTIMIZE = 8;
const OPERATORS = ["", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];
const ACTIONS: Readonly<Record<string, number>> = {
  SCMP_ACT_ALLOW: 0x7fff_0000,
  SCMP_ACT_LOG: 0x7ffc_0000,
  SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_TRAP: 0x0003_0000,
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x8000_0000,
};

/** The library; close it with `using`. */
export class Libseccomp implements Disposable {
  readonly #library = Deno.dlopen(LIBSECCOMP, {
    seccomp_init: { parameters: ["u32"], result: "pointer" },
    seccomp_release: { parameters: ["pointer"], result: "void" },
    seccomp_arch_add: { parameters: ["pointer", "u32"], result: "i32" },
    seccomp_arch_native: { parameters: [], result: "u32" },
    seccomp_arch_remove: { parameters: ["pointer", "u32"], result: "i32" },
    seccomp_attr_set: { parameters: ["pointer", "u32", "u32"], result: "i32" },
    seccomp_rule_add_array: {
      parameters: ["pointer", "u32", "i32", "u32", "buffer"],
      result: "i32",
    },
    seccomp_export_bpf: { parameters: ["pointer", "i32"], result: "i32" },
    seccomp_syscall_resolve_name: { parameters: ["buffer"], result: "i32" },
    seccomp_syscall_resolve_name_arch: { parameters: ["u32", "buffer"], result: "i32" },
    seccomp_syscall_resolve_num_arch: { parameters: ["u32", "i32"], result: "pointer" },
  });
  readonly #libc = Deno.dlopen("libc.so.6", {
    memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });

  [Symbol.dispose](): void {
    this.#library.close();
    this.#libc.close();
  }

  /** -1 for a name that the library does not know, below -1 for one of other architectures. */
  numberOf(name: string, arch?: string): number {
    const { symbols } = this.#library;
    if (arch === undefined) return symbols.seccomp_syscall_resolve_name(cstring(name));
    return symbols.seccomp_syscall_resolve_name_arch(ARCH_TOKENS[arch] ?? 0, cstring(name));
  }

  nameOf(number: number, arch: string): string | undefined {
    const { symbols } = this.#library;
    const name = symbols.seccomp_syscall_resolve_num_arch(ARCH_TOKENS[arch] ?? 0, number);
    return name === null ? undefined : Deno.UnsafePointerView.getCString(name);
  }

  /** What runc has the kernel answer: the library's filter behind runc's own one for new calls. */
  judge(profile: LinuxSeccomp, native: string): (data: SeccompData) => Answer {
    const filter = this.compile(profile, native);
    const isNew = this.#isNew(profile, native);
    return (data) => isNew(data) ? { action: ENOSYS, steps: 0 } : runFilter(filter, data);
  }

  /**
   * The same with a filter for each rule with arguments, of which the first that is not the default
   * decides: libseccomp 2.5.4 joins rules wrongly where several ask `<` or `>` of one argument.
   */
  judgeEach(profile: LinuxSeccomp, native: string): (data: SeccompData) => Answer {
    const { syscalls = [] } = profile;
    const whole = (rule: LinuxSyscall) => (rule.args ?? []).length === 0;
    const parts = [
      syscalls.filter(whole),
      ...syscalls.filter((rule) => !whole(rule)).flatMap((rule) =>
        separate(rule.args ?? []).map((args) => [{ ...rule, args }])
      ),
    ];
    const filters = parts.map((rules) => this.compile({ ...profile, syscalls: rules }, native));
    const fallback = action(profile.defaultAction, profile.defaultErrnoRet);
    const isNew = this.#isNew(profile, native);
    return (data) => {
      if (isNew(data)) return { action: ENOSYS, steps: 0 };
      const answers = filters.map((filter) => runFilter(filter, data));
      return answers.find((answer) => answer.action !== fallback) ?? { action: fallback, steps: 0 };
    };
  }

  /** The library's own filter; throws where it returns an error. */
  compile(profile: LinuxSeccomp, native: string): Uint8Array {
    const { symbols } = this.#library;
    const fallback = action(profile.defaultAction, profile.defaultErrnoRet);
    const context = symbols.seccomp_init(fallback);
    const check = (what: string, result: number) => {
      if (result < 0) throw new Error(`${what}: libseccomp returned ${result}`);
    };
    try {
      for (const name of architecturesOf(profile, native)) {
        symbols.seccomp_arch_add(context, ARCH_TOKENS[name] ?? 0); // -EEXIST for the native one.
      }
      const own = symbols.seccomp_arch_native();
      if (own !== ARCH_TOKENS[NATIVE[native] ?? ""]) symbols.seccomp_arch_remove(context, own);
      check("bad arch", symbols.seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, 0x8000_0000));
      for (const { names, action: of, errnoRet, args = [] } of profile.syscalls ?? []) {
        const answer = action(of, errnoRet);
        if (answer === fallback) continue;
        for (const name of names) {
          const number = this.numberOf(name);
          if (number === -1) continue; // As runc does.
          for (const some of separate(args)) {
            const result = symbols
              .seccomp_rule_add_array(context, answer, number, some.length, scmpArgs(some));
            check(`a rule for "${name}"`, result);
          }
        }
      }
      // A binary tree, as in runc. Without it libseccomp 2.5.4 forgets to load the call's number
      // where the first rule is of a call that the architecture has not.
      symbols.seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
      return this.#export(context);
    } finally {
      symbols.seccomp_release(context);
    }
  }

  #export(context: Deno.PointerValue): Uint8Array {
    const fd = this.#libc.symbols.memfd_create(cstring("filter"), 0);
    try {
      const result = this.#library.symbols.seccomp_export_bpf(context, fd);
      if (result < 0) throw new Error(`seccomp_export_bpf returned ${result}`);
      return Deno.readFileSync(`/proc/self/fd/${fd}`);
    } finally {
      this.#libc.symbols.close(fd);
    }
  }

  /** runc's `patchbpf`: calls above the newest that the profile names, by architecture. */
  #isNew(profile: LinuxSeccomp, native: string): (data: SeccompData) => boolean {
    if (/ALLOW|LOG|TRACE/.test(profile.defaultAction)) return () => false;
    const newest = new Map<string, number>();
    for (const arch of architecturesOf(profile, native)) {
      const numbers = (profile.syscalls ?? []).flatMap(({ names }) => names)
        .map((name) => this.numberOf(name, arch));
      newest.set(arch, Math.max(0, ...numbers));
    }
    return ({ nr, arch }) => {
      const isX32 = arch === ARCH_TOKENS.SCMP_ARCH_X86_64 && (nr & 0x4000_0000) !== 0;
      const name = isX32
        ? "SCMP_ARCH_X32"
        : Object.keys(ARCH_TOKENS).find((key) => ARCH_TOKENS[key] === arch) ?? "";
      const last = newest.get(name) ?? 0;
      return last > 0 && nr > last;
    };
  }
}

function architecturesOf({ architectures = [] }: LinuxSeccomp, native: string): Set<string> {
  return new Set([NATIVE[native] ?? "", ...architectures]);
}

/** runc makes a rule of each condition where two are of one argument. */
function separate(args: LinuxSeccompArg[]): LinuxSeccompArg[][] {
  const indices = new Set(args.map(({ index }) => index));
  return indices.size === args.length ? [args] : args.map((arg) => [arg]);
}

function action(name: string, data = 1): number {
  const value = ACTIONS[name] ?? NaN;
  return name === "SCMP_ACT_ERRNO" || name === "SCMP_ACT_TRACE" ? value | data : value;
}

/** struct scmp_arg_cmp { unsigned int arg; enum scmp_compare op; u64 datum_a, datum_b; }[] */
function scmpArgs(args: LinuxSeccompArg[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(24 * Math.max(1, args.length)));
  for (const [i, { index, op, value, valueTwo = 0 }] of args.entries()) {
    view.setUint32(24 * i, index, true);
    view.setUint32(24 * i + 4, OPERATORS.indexOf(op.replace("SCMP_CMP_", "")), true);
    view.setBigUint64(24 * i + 8, BigInt(value), true);
    view.setBigUint64(24 * i + 16, BigInt(valueTwo), true);
  }
  return new Uint8Array(view.buffer);
}

function cstring(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
