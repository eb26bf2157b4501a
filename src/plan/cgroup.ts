import {
  BPF_CGROUP_DEVICE,
  BPF_F_ALLOW_MULTI,
  BPF_PROG_ATTACH,
  BPF_PROG_LOAD,
  BPF_PROG_TYPE_CGROUP_DEVICE,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
} from "../../ffi/constants.ts";
import type { CgroupJoin } from "../cgroup/host.ts";
import type { CgroupFile, CgroupPlan } from "../cgroup/plan.ts";
import { goto, openToWrite, WORKING_DIRECTORY, writeFile, writeText } from "./calls.ts";
import {
  type Call,
  call,
  flags,
  mode,
  type On,
  room,
  type Slot,
  slot,
  type Step,
  step,
  struct,
} from "./step.ts";

const NEW_DIRECTORY = mode(0o755);

/** Host's side: the cgroup with its limits. */
export function cgroupSteps({ directories, files, devices }: CgroupPlan): Step[] {
  return [
    ...directories.map((path) =>
      step(`make the cgroup ${path}`, [
        call("mkdirat", [WORKING_DIRECTORY, path, NEW_DIRECTORY], {
          on: [{ errno: "EEXIST", goto: "next" }],
        }),
      ], {
        EROFS:
          "the cgroup filesystem is read-only: this is a container without a cgroup of its own",
        EAGAIN: "cgroup.max.descendants or cgroup.max.depth of a parent is reached",
      })
    ),
    ...fileSteps(files),
    ...devices ? [deviceProgram(devices.directory, devices.program)] : [],
  ];
}

/** A file that takes one line in a write is opened once for all that follow one another. */
function fileSteps(files: CgroupFile[]): Step[] {
  let open: Slot | undefined;
  return files.map((file, index) => {
    const { path, content, label } = file;
    const goesOn = isPlain(file) && files[index + 1]?.path === path && isPlain(files[index + 1]);
    if (!open && !goesOn) return fileStep(file);
    const to = open ?? slot(path);
    const calls = [
      ...open ? [] : [openToWrite(path, to)],
      writeText(to, content),
      ...goesOn ? [] : [call("close", [to])],
    ];
    open = goesOn ? to : undefined;
    return step(label, calls, hintsFor(content));
  });
}

/** Whether a file is written, and no failure is expected. */
function isPlain(file: CgroupFile | undefined): boolean {
  return file !== undefined && file.inheritFrom === undefined && !file.otherwise &&
    !file.optional && !file.mayFail;
}

function fileStep(file: CgroupFile): Step {
  if (file.inheritFrom !== undefined) return inherit(file, file.inheritFrom);
  const hints = hintsFor(file.content);
  const missing: On[] = file.mayFail
    ? [{ errno: "any", goto: "next" }]
    : file.optional
    ? [{ errno: "ENOENT", goto: "next" }]
    : [];
  if (!file.otherwise) {
    return step(file.label, writeFile(file.path, file.content, { on: missing }), hints);
  }
  const [open, ...rest] = writeFile(file.path, file.content);
  const [other, ...otherRest] = writeFile(file.otherwise.path, file.otherwise.content, {
    on: missing,
  });
  if (!open || !other) return step(file.label, []);
  return step(file.label, [
    { ...open, on: [{ errno: "ENOENT", goto: ".otherwise" }] },
    ...rest,
    goto("next"),
    { ...other, id: ".otherwise" },
    ...otherRest,
  ], hints);
}

function hintsFor(content: string): Record<string, string> {
  return {
    EBUSY: "its parent has processes of its own, or a child that needs more",
    EINVAL: `the kernel does not take "${content}" here`,
    ERANGE: `"${content}" is beyond what this host has`,
    ENOENT: "the controller is not enabled in the parent's cgroup.subtree_control",
  };
}

/** cpuset v1: an empty file takes its parent's content; cpusets(7). */
function inherit({ label, path }: CgroupFile, parent: string): Step {
  const content = room("content", 4096);
  const file = slot(path), from = slot(parent);
  const length = slot("length"), parentLength = slot("parent's length"), empty = slot("empty?");
  const open = (name: string, how: Record<string, number>, to: Slot) =>
    call("openat", [WORKING_DIRECTORY, name, flags(how), 0], { to });
  return step(label, [
    open(path, { O_RDWR, O_CLOEXEC }, file),
    call("read", [file, content, 4096], { to: length }),
    call("less", [length, 2], { to: empty, on: [{ value: 0, goto: ".full" }] }),
    open(parent, { O_RDONLY, O_CLOEXEC }, from),
    call("read", [from, content, 4096], { to: parentLength }),
    call("close", [from]),
    call("write", [file, content, parentLength]),
    call("close", [file], { id: ".full" }),
  ]);
}

/** cgroup v2: which devices may be opened is decided by an eBPF program. */
function deviceProgram(path: string, program: Uint8Array): Step {
  return step("allow only the devices of the spec", attachProgram(path, program), {
    EPERM: "loading eBPF programs needs CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN",
  });
}

/** Loads a BPF_PROG_TYPE_CGROUP_DEVICE program and attaches it to a cgroup2 directory; bpf(2). */
export function attachProgram(path: string, program: Uint8Array): Call[] {
  const directory = slot(path);
  const loaded = slot("program");
  const load = struct("bpf_attr", [
    ["prog_type", 4, flags({ BPF_PROG_TYPE_CGROUP_DEVICE })],
    ["insn_cnt", 4, program.length / 8],
    ["insns", 8, program],
    ["license", 8, "Apache"],
    ["log_level", 4, 0],
    ["log_size", 4, 0],
    ["log_buf", 8, 0],
  ]);
  const attach = struct("bpf_attr", [
    ["target_fd", 4, directory],
    ["attach_bpf_fd", 4, loaded],
    ["attach_type", 4, flags({ BPF_CGROUP_DEVICE })],
    ["attach_flags", 4, flags({ BPF_F_ALLOW_MULTI })],
  ]);
  return [
    call("openat", [WORKING_DIRECTORY, path, flags({ O_RDONLY, O_DIRECTORY, O_CLOEXEC }), 0], {
      to: directory,
    }),
    call("bpf", [flags({ BPF_PROG_LOAD }), load, 40], { to: loaded }),
    call("bpf", [flags({ BPF_PROG_ATTACH }), attach, 16]),
    call("close", [loaded]),
    call("close", [directory]),
  ];
}

/** Host's side, cgroup2: the directory that the stage is born in (CLONE_INTO_CGROUP). */
export function openCgroup(directory: string, to: Slot, inherited: boolean): Step {
  return step(`open the cgroup ${directory}`, [
    call("openat", [
      WORKING_DIRECTORY,
      directory,
      flags(inherited ? { O_RDONLY, O_DIRECTORY } : { O_RDONLY, O_DIRECTORY, O_CLOEXEC }),
      0,
    ], { to }),
  ], GONE);
}

const GONE = {
  ENOENT: "the cgroup is not there: its container has ended",
  EINVAL: "a real-time process cannot enter a cpu cgroup whose cpu.rt_runtime_us is 0",
};

/**
 * Stage, v1: it moves itself, so that the host's side need not be waited for. The files are closed
 * with all others in the end.
 */
export function joinCgroup(join: CgroupJoin): Step[] {
  if (join.kind === "into") return [];
  return join.paths.map((path) => {
    const file = slot(path);
    return step(`move into ${path}`, [openToWrite(path, file), writeText(file, "0")], GONE);
  });
}
