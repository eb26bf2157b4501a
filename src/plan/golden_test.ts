/**
 * Whole plans as text, compared with testdata/*.txt. After a change that is meant, look at the
 * difference that this command makes:
 *
 *     MINICTR_WRITE_GOLDEN=1 deno test -A src/plan/golden_test.ts
 */
import assert from "assert";
import type { CgroupPlan } from "../cgroup/plan.ts";
import { defaultSpec, type Spec } from "../spec/mod.ts";
import { planSupervised } from "./supervised.ts";
import type { Surroundings } from "./parts.ts";
import { explain } from "./explain.ts";
import { superviseSteps, type SupervisorOrders } from "./supervise.ts";
import type { Supervision } from "./supervision.ts";

const ID = "0123456789ab";
const V1: CgroupPlan = {
  directories: ["/sys/fs/cgroup/memory/minictr", `/sys/fs/cgroup/memory/minictr/${ID}`],
  files: [
    {
      path: `/sys/fs/cgroup/memory/minictr/${ID}/memory.limit_in_bytes`,
      content: "1048576",
      label: "limit memory to 1048576 bytes",
    },
    {
      path: `/sys/fs/cgroup/memory/minictr/${ID}/memory.memsw.limit_in_bytes`,
      content: "1048576",
      label: "limit memory and swap to 1048576 bytes",
      optional: true,
    },
  ],
  join: { kind: "tasks", paths: [`/sys/fs/cgroup/memory/minictr/${ID}/tasks`] },
  mounts: {
    kind: "hierarchies",
    hierarchies: [{
      name: "cpu,cpuacct",
      source: `/sys/fs/cgroup/cpu,cpuacct/minictr/${ID}`,
      links: ["cpu", "cpuacct"],
    }],
  },
};
const V2: CgroupPlan = {
  directories: ["/sys/fs/cgroup/minictr", `/sys/fs/cgroup/minictr/${ID}`],
  files: [{
    path: `/sys/fs/cgroup/minictr/${ID}/memory.max`,
    content: "1048576",
    label: "limit memory to 1048576 bytes",
  }],
  devices: { directory: `/sys/fs/cgroup/minictr/${ID}`, program: new Uint8Array(24) },
  join: { kind: "into", directory: `/sys/fs/cgroup/minictr/${ID}` },
  mounts: { kind: "unified", directory: `/sys/fs/cgroup/minictr/${ID}` },
};
const SUPERVISION: Supervision = {
  directory: `/var/lib/minictr/containers/${ID}`,
  log: `/var/lib/minictr/containers/${ID}/log`,
  lock: 7,
  name: "web",
  program: [],
};
const ORDERS: SupervisorOrders = {
  logLimitBytes: 1_000_000,
  logFiles: 3,
  terminal: false,
  handsOver: false,
  afterwards: ["/usr/bin/minictr", "ended", ID],
  env: ["HOME=/root"],
};
const LIMIT = {
  timeoutMs: 90_500,
  thaw: { file: `/sys/fs/cgroup/freezer/minictr/${ID}/freezer.state`, text: "THAWED" },
};
const AROUND: Surroundings = {
  root: { kind: "directory", path: "/srv/root" },
  cgroup: V1,
  lastCapability: 8,
  kindOf: (source) => source.endsWith(".conf") ? "file" : "directory",
  mapRoot: false,
  streams: ["null", "inherit", "inherit"],
  foreground: true,
  init: false,
  barrier: false,
  trace: false,
};
const FILTER = { filter: new Uint8Array(16), flags: { SECCOMP_FILTER_FLAG_LOG: 2 } };

type Case = (spec: Spec, process: NonNullable<Spec["process"]>) => Partial<Surroundings>;

const CASES: Record<string, Case> = {
  default: (spec) => {
    Object.assign(spec, defaultSpec());
    return { lastCapability: 40 };
  },

  readonly_with_volumes: (spec) => {
    spec.root = { path: "root", readonly: true };
    spec.mounts?.push(
      { destination: "/run", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=64k"] },
      { destination: "/srv/data", type: "bind", source: "/data", options: ["rbind", "rslave"] },
      {
        destination: "/etc/app.conf",
        type: "bind",
        source: "/etc/app.conf",
        options: ["bind", "ro", "nosuid"],
      },
      { destination: "/mnt", source: "/mnt", options: ["rbind", "rro"] },
    );
    const [lower, upper, work] = [["/layers/b:c", "/layers/a"], "/up", "/work"];
    return { root: { kind: "overlay", lower, upper, work, volatile: true } };
  },

  unprivileged_user: (spec, process) => {
    process.user = { uid: 1000, gid: 100, umask: 0o077, additionalGids: [29] };
    process.capabilities = {
      bounding: ["CAP_CHOWN", "CAP_NET_BIND_SERVICE"],
      permitted: ["CAP_NET_BIND_SERVICE"],
      inheritable: ["CAP_NET_BIND_SERVICE"],
      effective: ["CAP_NET_BIND_SERVICE"],
      ambient: ["CAP_NET_BIND_SERVICE"],
    };
    process.noNewPrivileges = true;
    process.cwd = "/home/alice";
    process.oomScoreAdj = 500;
    process.apparmorProfile = "docker-default";
    process.args = ["app", "--verbose"];
    Object.assign(spec.linux ?? {}, { sysctl: { "net.ipv4.ip_forward": "1" } });
    return { seccomp: FILTER, init: true, streams: ["pipe", "pipe", "pipe"], barrier: true };
  },

  user_namespace: (spec) => {
    spec.linux?.namespaces?.push({ type: "user", path: "/proc/42/ns/user" });
    return { mapRoot: true, seccomp: FILTER };
  },

  joined_namespaces: (spec) => {
    Object.assign(spec.linux ?? {}, {
      namespaces: [
        { type: "mount" },
        { type: "pid", path: "/proc/42/ns/pid" },
        { type: "network", path: "/run/netns/blue" },
        { type: "time" },
      ],
      timeOffsets: { monotonic: { secs: 60 } },
    });
    spec.hostname = "";
    return {};
  },

  cgroup_v2_with_terminal: (_spec, process) => {
    process.terminal = true;
    process.consoleSize = { height: 24, width: 80 };
    return { cgroup: V2, streams: ["inherit", "inherit", "inherit"], trace: true };
  },

  detached: () => ({
    cgroup: V2,
    streams: ["supervisor", "supervisor", "supervisor"],
    supervision: { ...SUPERVISION, program: superviseSteps({ ...ORDERS, limit: LIMIT }) },
  }),

  kept_with_terminal: (_spec, process) => {
    process.terminal = true;
    return {
      cgroup: V2,
      streams: ["inherit", "inherit", "inherit"],
      supervision: {
        ...SUPERVISION,
        program: superviseSteps({ ...ORDERS, terminal: true, echo: ["pipe"], handsOver: true }),
        echo: ["pipe"],
      },
    };
  },
};

/** The default one with less of what is the same each time. */
function shortSpec(): Spec {
  const spec = defaultSpec();
  Object.assign(spec.linux ?? {}, { maskedPaths: ["/proc/kcore"], readonlyPaths: ["/proc/sys"] });
  Object.assign(spec.process ?? {}, { args: ["/bin/sh"] });
  return { ...spec, mounts: spec.mounts?.filter(({ type }) => type !== "mqueue") ?? [] };
}

/** The plan of a case as `--explain` shows plans. */
function planText(change: Case): string {
  const spec = shortSpec();
  const { process } = spec;
  assert.ok(process);
  const around = { ...AROUND, ...change(spec, process) };
  const { host, stage, handler, namespaces, supervisor } = planSupervised(spec, around);
  const steps = [
    ...explain(host, "minictr"),
    ...explain([...stage, ...handler], "container"),
    ...explain(supervisor?.program ?? [], "supervisor"),
  ];
  return [
    `Born in ${Object.keys(namespaces.named).join("|") || "no namespace of its own"}.`,
    ...steps.flatMap(({ side, label, calls }) => [
      `${side}: ${label}`,
      ...calls.map(({ text }) => `    ${text}`),
    ]),
    "",
  ].join("\n");
}

for (const [name, change] of Object.entries(CASES)) {
  Deno.test(`the plan ${name} is as in testdata/${name}.txt`, () => {
    const file = new URL(`./testdata/${name}.txt`, import.meta.url);
    const text = planText(change);
    if (Deno.env.get("MINICTR_WRITE_GOLDEN") === "1") Deno.writeTextFileSync(file, text);
    assert.equal(text, Deno.readTextFileSync(file));
  });
}

Deno.test("the same spec gives the same plan", () => {
  for (const change of Object.values(CASES)) assert.equal(planText(change), planText(change));
});
