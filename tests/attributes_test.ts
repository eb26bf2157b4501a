/** How the kernel schedules a bundle's processes, where it puts their memory, and what it takes them for. */
import assert from "assert";
import { type Program, type Scratch, test } from "./support/mod.ts";
import { fails, ok, until } from "./support/background.ts";

const requires = ["root", "command:busybox"] as const;

/** What a test changes in the config.json that `run --print-spec` prints. */
interface Change {
  process?: Record<string, unknown>;
  linux?: Record<string, unknown>;
}

/** The words that run a bundle of busybox with a shell's script. */
async function runOf(t: Scratch, script: string, change: Change): Promise<string[]> {
  const { out, err } = await t.run(["--print-spec"], ["sh", "-c", script]);
  assert.equal(err, "");
  const spec = JSON.parse(out);
  spec.root.path = t.rootfs;
  Object.assign(spec.process, change.process);
  Object.assign(spec.linux, change.linux);
  const bundle = `${t.directory}/bundle`;
  Deno.mkdirSync(bundle, { recursive: true });
  Deno.writeTextFileSync(`${bundle}/config.json`, JSON.stringify(spec));
  return ["run", "--rm", "--bundle", bundle, "--name", t.name];
}

/** A bundle that runs until its input ends, and is there to be joined. */
async function running(t: Scratch, script: string, change: Change): Promise<Program> {
  const words = await runOf(t, `${script}; exec cat`, change);
  const program = t.startMinictr(words, { stdin: "pipe" });
  await until(async () => (await t.minictr(["exec", t.name, "true"])).code, (code) => code === 0);
  return program;
}

/** What a script prints as a bundle's first process, and as a process that joins it. */
async function printed(t: Scratch, script: string, change: Change): Promise<[string, string]> {
  await using program = await running(t, script, change);
  const joined = await ok(t, "exec", t.name, "sh", "-c", script);
  await program.closeStdin();
  const { out, err, code } = await program.ended;
  assert.equal(code, 0, err);
  return [out, joined];
}

test("a bundle's scheduler and I/O priority are those of its processes and of what joins them", {
  requires,
}, async (t) => {
  // Fields 19 and 41 of proc_pid_stat(5): nice, and the policy's number.
  const look = `ionice -p $$; awk '{ print $19, $41 }' /proc/$$/stat`;
  const change = {
    process: {
      scheduler: { policy: "SCHED_BATCH", nice: 7 },
      ioPriority: { class: "IOPRIO_CLASS_BE", priority: 6 },
      user: { uid: 1000, gid: 1000 },
    },
  };
  assert.deepEqual(await printed(t, look, {}), Array(2).fill("none: prio 0\n0 0\n"));
  assert.deepEqual(await printed(t, look, change), Array(2).fill("best-effort: prio 6\n7 3\n"));
});

test("a bundle's processes have its personality and memory policy, and what joins them too", {
  requires: [...requires, "arch:x86_64", "file:/proc/self/numa_maps"],
}, async (t) => {
  const look =
    "uname -m; cat /proc/self/personality; awk '{ print $2; exit }' /proc/self/numa_maps";
  const change = {
    linux: {
      personality: { domain: "LINUX32" },
      memoryPolicy: { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] },
    },
  };
  assert.deepEqual(await printed(t, look, {}), Array(2).fill("x86_64\n00000000\ndefault\n"));
  const expected = "i686\n00000008\nbind=static:0\n";
  assert.deepEqual(await printed(t, look, change), Array(2).fill(expected));
});

test("they are set before a filter that forbids it is loaded", {
  requires: [...requires, "arch:x86_64", "file:/proc/self/numa_maps"],
}, async (t) => {
  const names = ["sched_setattr", "ioprio_set", "personality", "set_mempolicy"];
  const change = {
    process: {
      scheduler: { policy: "SCHED_IDLE" },
      ioPriority: { class: "IOPRIO_CLASS_IDLE", priority: 0 },
    },
    linux: {
      personality: { domain: "LINUX" },
      memoryPolicy: { mode: "MPOL_PREFERRED", nodes: "0" },
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        architectures: ["SCMP_ARCH_X86_64"],
        syscalls: [{ names, action: "SCMP_ACT_KILL_PROCESS" }],
      },
    },
  };
  for (const noNewPrivileges of [false, true]) {
    const process = { ...change.process, noNewPrivileges };
    const words = await runOf(t, "ionice -p $$; ionice -c 2 true", { ...change, process });
    const { out, code } = await t.minictr(words);
    assert.equal(out, "idle\n");
    assert.equal(code, 128 + 31, "the filter is there"); // SIGSYS
  }
});

test("exec runs on the CPUs that the bundle names for before and after it is in the cgroup", {
  requires,
}, async (t) => {
  const look = "sed -n 's/^Cpus_allowed_list:\\t//p' /proc/self/status";
  const all = /^Cpus_allowed_list:\t(.*)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1] ??
    "";
  const first = /^\d+/.exec(all)?.[0] ?? "", last = /\d+$/.exec(all)?.[0] ?? "";
  const affinity = (execCPUAffinity: Record<string, string>) =>
    printed(t, look, { process: { execCPUAffinity } });
  // Before Linux 6.2 whoever moves into another cpuset forgets its CPUs.
  const [own, joined = ""] = await affinity({ initial: first });
  assert.ok(own === `${all}\n` && [`${first}\n`, `${all}\n`].includes(joined), joined);
  assert.deepEqual(await affinity({ initial: first, final: last }), [`${all}\n`, `${last}\n`]);
  // It is in the container's cgroups all the same.
  await using program = await running(t, "true", {
    process: { execCPUAffinity: { initial: first } },
  });
  const cgroups = (pid: string) => ok(t, "exec", t.name, "cat", `/proc/${pid}/cgroup`);
  assert.equal(await cgroups("self"), await cgroups("1"));
  await program.closeStdin();
  await program.ended;
});

test("exec on CPUs that are not there is refused before it is in the cgroup", {
  requires,
}, async (t) => {
  const process = { execCPUAffinity: { initial: "8000" } };
  const words = await runOf(t, "exec cat", { process });
  await using program = t.startMinictr(words, { stdin: "pipe" });
  const exec = () => t.minictr(["exec", t.name, "echo", "started"]);
  const { code, out, err } = await until(exec, ({ err }) => err.includes("CPUs"));
  assert.deepEqual([code, out], [125, ""]);
  assert.match(
    err,
    /^minictr: cannot run on the CPUs 8000 before it is in the cgroup: .*\(EINVAL\): none of/,
  );
  await program.closeStdin();
  await program.ended;
});

test(
  "what the kernel refuses of them ends a start with the step, and why",
  { requires },
  async (t) => {
    const refused = async (change: Change) => {
      const err = await fails(t, 125, ...await runOf(t, "echo started", change));
      assert.equal(err.trimEnd().split("\n").length, 1, err);
      return err;
    };
    assert.match(
      await refused({ linux: { memoryPolicy: { mode: "MPOL_BIND", nodes: "8000" } } }),
      /cannot set the memory policy to MPOL_BIND on the nodes 8000: .*\(EINVAL\): a node is not there/,
    );
    // More time for deadlines than the kernel leaves to them; sched(7).
    const second = 1_000_000_000;
    const scheduler = { policy: "SCHED_DEADLINE", runtime: second * 4000, deadline: second * 4000 };
    assert.match(
      await refused({ process: { scheduler } }),
      /cannot let SCHED_DEADLINE schedule the command: sched_setattr: .*\((EBUSY|EINVAL|EPERM)\): /,
    );
  },
);

test("a value that is wrong is refused by its field, and nothing is started", {
  requires,
}, async (t) => {
  const changes: [Change, RegExp][] = [
    [
      { process: { ioPriority: { class: "IOPRIO_CLASS_BE", priority: 8 } } },
      /^minictr: config\.json: process\.ioPriority\.priority: must be from 0 to 7, is 8\n$/,
    ],
    [
      { process: { scheduler: { policy: "SCHED_NONE" } } },
      /^minictr: config\.json: process\.scheduler\.policy: must be one of .*, is "SCHED_NONE"\n$/,
    ],
    [
      { linux: { personality: { domain: "BSD" } } },
      /^minictr: config\.json: linux\.personality\.domain: must be one of LINUX, LINUX32, is "BSD"\n$/,
    ],
  ];
  for (const [change, message] of changes) {
    assert.match(await fails(t, 125, ...await runOf(t, "echo started", change)), message);
  }
});
