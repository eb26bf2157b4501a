import assert from "assert";
import { DEFAULT_CAPABILITIES } from "../../spec/mod.ts";
import { compileSeccomp } from "./compile.ts";
import { defaultFilter } from "./default_filter.ts";
import { defaultProfile, filterKey } from "./default_profile.ts";

const KERNEL = [6, 1] as const;

for (const arch of ["x86_64", "aarch64"] as const) {
  Deno.test(`the filter kept for ${arch} is what the default profile compiles to`, () => {
    const inputs = { arch, kernel: KERNEL, capabilities: new Set(DEFAULT_CAPABILITIES) };
    const profile = defaultProfile(inputs);
    const compiled = compileSeccomp(profile, arch);
    const [kept, wanted] = [defaultFilter(profile, arch), compiled.filter.toBase64()];
    assert.ok(kept?.filter.toBase64() === wanted, `the filter must be ${wanted}`);
    assert.deepEqual(kept.flags, compiled.flags);
    // As `exec` has it, from the state on disk.
    assert.ok(defaultFilter(JSON.parse(JSON.stringify(profile)), arch));
  });

  Deno.test(`no filter of ${arch} is kept for a profile that differs anywhere`, () => {
    const capabilities = new Set(DEFAULT_CAPABILITIES);
    const profile = defaultProfile({ arch, kernel: KERNEL, capabilities });
    const none = (of: typeof profile) => assert.equal(defaultFilter(of, arch), undefined);
    none(defaultProfile({ arch, kernel: [4, 7], capabilities }));
    none(defaultProfile({ arch, kernel: KERNEL, capabilities: new Set() }));
    none({ ...profile, defaultErrnoRet: 38 });
    none({ ...profile, architectures: [] });
    none({ defaultAction: "SCMP_ACT_ERRNO" });
    none({
      ...profile,
      syscalls: (profile.syscalls ?? []).map((rule) => ({
        ...rule,
        args: (rule.args ?? []).map((arg) => ({ ...arg, value: 2n ** 63n })),
      })),
    });
  });
}

Deno.test("filterKey() differs exactly where the default profile does", () => {
  const of = (kernel: readonly [number, number], ...capabilities: string[]) => {
    const inputs = { arch: "x86_64", kernel, capabilities: new Set(capabilities) } as const;
    return { key: filterKey(inputs), profile: JSON.stringify(defaultProfile(inputs)) };
  };
  const all = [
    of(KERNEL),
    of([4, 8], "CAP_KILL"),
    of([4, 7]),
    of([3, 19], "CAP_NET_RAW"),
    of(KERNEL, "CAP_BPF"),
    of(KERNEL, "CAP_SYS_ADMIN", "CAP_BPF"),
    of(KERNEL, "CAP_BPF", "CAP_SYS_ADMIN", "CAP_CHOWN"),
  ];
  for (const a of all) {
    for (const b of all) assert.equal(a.key === b.key, a.profile === b.profile);
  }
});
