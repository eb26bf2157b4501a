/**
 * Random specs for the tests of plans; there is no test in here.
 * @module
 */
import fc from "fast-check";
import type { CgroupPlan } from "../cgroup/plan.ts";
import { DEFAULT_CAPABILITIES, defaultSpec, type Mount, type Spec } from "../spec/mod.ts";
import type { Surroundings } from "./parts.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,6}$/);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
const capabilities = fc.option(fc.subarray([...DEFAULT_CAPABILITIES]), { nil: undefined });

const options = fc.subarray(
  ["ro", "nosuid", "nodev", "noexec", "noatime", "rro", "rslave", "private", "mode=700"],
);
const mount: fc.Arbitrary<Mount> = fc.oneof(
  fc.record({
    destination: path,
    type: fc.constantFrom("tmpfs", "proc", "sysfs", "mqueue", "devpts", "cgroup"),
    options,
  }),
  fc.record({
    destination: path,
    type: fc.constantFrom("bind", "none"),
    source: path,
    options: options.map((some) => ["rbind", ...some.filter((option) => !option.includes("="))]),
  }),
);

const namespaces = fc.tuple(
  ...(["pid", "network", "ipc", "uts", "cgroup", "user"] as const).map((type) =>
    fc.constantFrom("new", "joined", "host").map((how) => ({ type, how }))
  ),
).map((list) => [
  { type: "mount" as const },
  ...list.flatMap(({ type, how }) =>
    // A new user namespace is made before, and so joined in a plan.
    how === "joined" || (type === "user" && how === "new")
      ? [{ type, path: `/proc/1/ns/${type}` }]
      : how === "new"
      ? [{ type }]
      : []
  ),
]);

const process = fc.record({
  user: fc.record({
    uid: fc.nat(70_000),
    gid: fc.nat(70_000),
    additionalGids: fc.array(fc.nat(9)),
  }),
  args: fc.array(name, { minLength: 1, maxLength: 3 }),
  env: fc.array(name.map((text) => `V=${text}`), { maxLength: 2 }),
  cwd: fc.oneof(fc.constant("/"), path),
  terminal: fc.boolean(),
  noNewPrivileges: fc.boolean(),
  capabilities: fc.record({
    bounding: capabilities,
    effective: capabilities,
    permitted: capabilities,
    inheritable: capabilities,
    ambient: capabilities,
  }),
});

/** Specs that are valid, with whatever can be combined in them. */
export const arbitrarySpec: fc.Arbitrary<Spec> = fc.record({
  process,
  mounts: fc.array(mount, { maxLength: 5 }),
  namespaces,
  readonly: fc.boolean(),
  hostname: fc.option(name, { nil: "" }),
  maskedPaths: fc.array(path, { maxLength: 3 }),
  readonlyPaths: fc.array(path, { maxLength: 3 }),
  devices: fc.array(
    path.map((at) => ({ path: `/dev${at}`, type: "c", major: 10, minor: 5 } as const)),
    {
      maxLength: 2,
    },
  ),
}).map(({ process, mounts, namespaces, readonly, hostname, ...linux }): Spec => {
  const spec = defaultSpec();
  const given = Object.entries(process.capabilities).filter(([, set]) => set !== undefined);
  return {
    ...spec,
    process: { ...process, capabilities: Object.fromEntries(given) },
    root: { path: "root", readonly },
    hostname,
    mounts: [...spec.mounts ?? [], ...mounts],
    linux: { ...linux, namespaces },
  };
});

const v1: CgroupPlan = {
  directories: ["/sys/fs/cgroup/memory/m"],
  files: [],
  join: { kind: "tasks", paths: ["/sys/fs/cgroup/memory/m/tasks"] },
  mounts: {
    kind: "hierarchies",
    hierarchies: [{ name: "memory", source: "/sys/fs/cgroup/memory/m", links: [] }],
  },
};
const v2: CgroupPlan = {
  directories: ["/sys/fs/cgroup/m"],
  files: [],
  join: { kind: "into", directory: "/sys/fs/cgroup/m" },
  mounts: { kind: "unified", directory: "/sys/fs/cgroup/m" },
};

/** Surroundings of a container in the foreground. */
export const arbitrarySurroundings: fc.Arbitrary<Surroundings> = fc.record({
  overlay: fc.boolean(),
  cgroup: fc.constantFrom(v1, v2, undefined),
  filter: fc.boolean(),
  lastCapability: fc.integer({ min: 36, max: 40 }),
  files: fc.boolean(),
  mapRoot: fc.boolean(),
  streams: fc.tuple(
    ...[0, 1, 2].map(() => fc.constantFrom("inherit", "null", "pipe")),
  ) as fc.Arbitrary<
    Surroundings["streams"]
  >,
  init: fc.boolean(),
  barrier: fc.boolean(),
  trace: fc.boolean(),
}).map(({ overlay, cgroup, filter, files, ...rest }): Surroundings => ({
  ...rest,
  root: overlay
    ? { kind: "overlay", lower: ["/a", "/b"], upper: "/u", work: "/w", volatile: false }
    : { kind: "directory", path: "/srv/root" },
  ...cgroup ? { cgroup } : {},
  ...filter ? { seccomp: { filter: new Uint8Array(8), flags: {} } } : {},
  kindOf: () => files ? "file" : "directory",
  foreground: true,
}));
