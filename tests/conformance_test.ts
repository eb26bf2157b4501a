import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;

// deno-lint-ignore no-explicit-any -- as any config.json may be
type Change = (spec: any) => void;

/** A field of config.json, and what a command sees of it inside. */
interface Field {
  field: string;
  change: Change;
  command: string;
  sees: string | RegExp;
}

const FIELDS: Field[] = [
  {
    field: "process.user.umask",
    change: ({ process }) => process.user.umask = 0o27,
    command: "umask",
    sees: "0027\n",
  },
  {
    field: "process.user.additionalGids",
    change: ({ process }) => Object.assign(process.user, { gid: 7, additionalGids: [8, 9] }),
    command: "grep ^Groups: /proc/self/status",
    sees: /^Groups:\t7 8 9 *\n$/,
  },
  {
    field: "process.capabilities.ambient",
    change: ({ process }) => {
      const set = ["CAP_NET_BIND_SERVICE"];
      process.user = { uid: 1, gid: 1 };
      process.capabilities = {
        bounding: set,
        effective: set,
        permitted: set,
        inheritable: set,
        ambient: set,
      };
    },
    command: "grep -E ^Cap /proc/self/status",
    sees: `${
      ["Inh", "Prm", "Eff", "Bnd", "Amb"].map((name) => `Cap${name}:\t0000000000000400`).join("\n")
    }\n`,
  },
  {
    field: "process.rlimits",
    change: ({ process }) =>
      process.rlimits = [{ type: "RLIMIT_STACK", soft: 1 << 20, hard: 1 << 21 }],
    command: "grep stack /proc/self/limits",
    sees: /^Max stack size +1048576 +2097152 +bytes *\n$/,
  },
  {
    field: "process.oomScoreAdj",
    change: ({ process }) => process.oomScoreAdj = 321,
    command: "cat /proc/self/oom_score_adj",
    sees: "321\n",
  },
  {
    field: "process.cwd",
    change: ({ process }) => process.cwd = "/tmp/made/where/missing",
    command: "pwd",
    sees: "/tmp/made/where/missing\n",
  },
  {
    field: "hostname and domainname",
    change: (spec) => Object.assign(spec, { hostname: "ship", domainname: "example.org" }),
    command: "hostname; cat /proc/sys/kernel/domainname",
    sees: "ship\nexample.org\n",
  },
  {
    field: "root.readonly",
    change: ({ root }) => root.readonly = true,
    command: "touch /new || echo refused",
    sees: "refused\n",
  },
  {
    field: "linux.timeOffsets",
    change: ({ linux }) => {
      linux.namespaces.push({ type: "time" });
      linux.timeOffsets = { boottime: { secs: 86_400 }, monotonic: { secs: 172_800, nanosecs: 5 } };
    },
    command: "cat /proc/self/timens_offsets",
    sees: /^monotonic +172800 +5\nboottime +86400 +0\n$/,
  },
  {
    field: "linux.devices",
    change: ({ linux }) =>
      linux.devices = [
        ...linux.devices,
        { path: "/dev/nothing", type: "c", major: 1, minor: 3, fileMode: 0o640, uid: 5, gid: 6 },
        { path: "/dev/way", type: "p", fileMode: 0o600 },
      ],
    command: "stat -c '%F %t:%T %a %u:%g' /dev/nothing; stat -c '%F %a' /dev/way",
    sees: "character special file 1:3 640 5:6\nfifo 600\n",
  },
  {
    field: "linux.maskedPaths and readonlyPaths",
    change: ({ linux }) => {
      linux.maskedPaths = ["/proc/version", "/proc/fs", "/proc/is-not-there"];
      linux.readonlyPaths = ["/tmp"];
    },
    command: "wc -c </proc/version; ls -A /proc/fs | wc -l; touch /tmp/new || echo refused",
    sees: "0\n0\nrefused\n",
  },
];

for (const { field, change, command, sees } of FIELDS) {
  test(`a bundle's ${field} is seen inside`, { requires }, async (t) => {
    const own = await t.ownRootfs();
    const bundle = await t.bundle(["sh", "-c", command], (spec) => {
      spec.root.path = own;
      change(spec);
    });
    const { out, err } = await t.minictr(["run", "--bundle", bundle, "--name", t.name]);
    if (typeof sees === "string") assert.equal(out, sees, err);
    else assert.match(out, sees, err);
  });
}

for (
  const [path, place] of [
    ["/minictr/NAME-below", "minictr/NAME-below"],
    ["NAME", "minictr/NAME"],
    ["-.slice:minictr:NAME", "minictr-NAME.scope"],
  ] as const
) {
  test(
    `a bundle's linux.cgroupsPath "${path}" is the cgroup "${place}"`,
    { requires },
    async (t) => {
      const named = (text: string) => text.replace("NAME", t.name);
      const bundle = await t.bundle(["cat", "/proc/self/cgroup"], (spec) => {
        spec.linux.cgroupsPath = named(path);
        // Seen from the host's namespace it is the whole path.
        spec.linux.namespaces = spec.linux.namespaces.filter(
          ({ type }: { type: string }) => type !== "cgroup",
        );
      });
      const { out, err } = await t.minictr(["run", "--bundle", bundle, "--name", t.name]);
      const lines = out.trim().split("\n");
      assert.ok(lines.every((line) => line.endsWith(`:/${named(place)}`)), out + err);
    },
  );
}

for (
  const [propagation, fields] of [
    ["rprivate", /^$/],
    ["rslave", /^master:\d+ $/],
    ["shared", /^shared:\d+ master:\d+ $/],
    ["unbindable", /^unbindable $/],
  ] as const
) {
  test(`a bundle's ${propagation} root hears of the host's mounts or not, and the host of none`, {
    requires,
  }, async (t) => {
    const look =
      "sed -n 's|^[0-9]* [0-9]* [^ ]* [^ ]* / [^ ]* \\(.*\\)- .*|\\1|p' /proc/self/mountinfo";
    const bundle = await t.bundle(["sh", "-c", look], ({ linux }) => {
      linux.rootfsPropagation = propagation;
    });
    const words = t.words(["run", "--bundle", bundle, "--name", t.name]);
    // A host as systemd makes it: all of its mounts are shared.
    const host = ["unshare", "--mount", "--propagation", "shared", "sh", "-c"];
    const mounts = "cat /proc/self/mountinfo";
    const script = `${mounts} >"$0.before"; "$@"; ${mounts} >"$0.after"`;
    const { out, err } = await t.start([...host, script, `${t.directory}/mounts`, ...words]).ended;
    assert.match(out.replace("\n", ""), fields, err);
    const [before, after] = ["before", "after"].map((when) =>
      Deno.readTextFileSync(`${t.directory}/mounts.${when}`)
    );
    assert.equal(after, before);
  });
}
