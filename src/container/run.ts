import { ARCH, catchSignals, syscall, SyscallError, trySyscall } from "../../ffi/mod.ts";
import { cgroupPath, planCgroup, readCgroupHost } from "../cgroup/mod.ts";
import {
  type ContainerPlan,
  DEFAULT_RULES,
  MESSAGE,
  planContainer,
  type RootSource,
  type Step,
  type Stream,
  type Surroundings,
} from "../plan/mod.ts";
import type { Spec } from "../spec/mod.ts";
import {
  assemble,
  elfHead,
  type Failure,
  failureIn,
  launchSteps,
  type Program,
  PROGRAM_ADDRESS,
  resultOf,
  runHere,
} from "../stage/mod.ts";
import { cleanUp, repair } from "./cleanup.ts";
import { StartError } from "./start_error.ts";
import { createState, type Roots, type State } from "./state.ts";
import { statusOf, waitFor } from "./wait.ts";

export interface RunOptions {
  id: string;
  name: string;
  roots: Roots;
  root: RootSource;
  streams: [Stream, Stream, Stream];
}

/** What a started container is known by in this process. */
interface Started {
  pid: number;
  pidfd: number;
  channel: number;
}

/**
 * Runs a container in the foreground: makes it, waits for its end, takes it away.
 *
 * @returns the exit status as a shell shows it
 * @throws {StartError} when a step failed
 */
export function runContainer(spec: Spec, options: RunOptions): number {
  const host = readCgroupHost();
  const { id, name, roots, root } = options;
  const cgroup = cgroupPath(spec.linux?.cgroupsPath, id);
  const layer = root.kind === "overlay"
    ? root.upper.slice(0, root.upper.lastIndexOf("/"))
    : undefined;
  const state: State = {
    version: 1,
    id,
    name,
    created: new Date().toISOString(),
    cgroup,
    ...layer === undefined ? {} : { layer },
  };
  const signals = catchSignals();
  using held = createState(roots, state);
  try {
    const resources = spec.linux?.resources ?? {};
    const around: Surroundings = {
      root,
      cgroup: planCgroup(host, cgroup, {
        ...resources,
        devices: [...resources.devices ?? [], ...DEFAULT_RULES],
      }),
      lastCapability: Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap")),
      kindOf: (source) => Deno.statSync(source).isDirectory ? "directory" : "file",
      streams: options.streams,
      foreground: true,
      trace: false,
    };
    if (root.kind === "overlay") {
      Deno.mkdirSync(root.upper, { recursive: true, mode: 0o755 });
      Deno.mkdirSync(root.work, { mode: 0o700 });
    }
    const started = start(planContainer(spec, around), held.directory);
    const end = waitFor(started.pidfd, signals);
    return statusOf(end);
  } finally {
    cleanUp(held.directory, state, host);
    repair(roots, held.directory);
  }
}

/** Carries the plan out, until the command has been executed in the container. */
function start(plan: ContainerPlan, directory: string): Started {
  const stage = assemble(plan.stage, { base: PROGRAM_ADDRESS, arch: ARCH, handler: plan.handler });
  const { head, programOffset } = elfHead(ARCH, stage.bytes.length);
  const launch = launchSteps({
    head,
    program: stage.bytes,
    programOffset,
    namespaces: plan.namespaces,
    ...plan.cgroup ? { cgroup: plan.cgroup } : {},
    given: plan.given,
    fallbackPath: `${directory}/stage`,
  });
  const host = assemble([...plan.host, ...launch.steps], {
    base: "here",
    arch: ARCH,
    exports: exportsOf(stage),
  });
  const failure = runHere(host);
  if (failure) throw startError(host, failure);
  const started = {
    pid: resultOf(host, launch.pid),
    pidfd: resultOf(host, launch.pidfd),
    channel: resultOf(host, plan.channel),
  };
  listen(stage, started);
  return started;
}

/** Where the stage awaits results of the host's side: in its memory, before it is written out. */
function exportsOf(stage: Program): Map<Parameters<typeof resultOf>[1], bigint> {
  const start = Deno.UnsafePointer.value(Deno.UnsafePointer.of(stage.bytes));
  return new Map(Array.from(stage.imports, ([slot, offset]) => [slot, start + BigInt(offset)]));
}

/** Reads the stage's messages until the command is executed, which closes its end. */
function listen(stage: Program, started: Started): void {
  const message = new Uint8Array(8);
  const view = new DataView(message.buffer);
  while (readAll(started.channel, message) > 0) {
    const kind = view.getUint32(0, true);
    const number = view.getUint32(4, true);
    if (kind === MESSAGE.failed) {
      const table = new Uint8Array(number);
      readAll(started.channel, table);
      const failure = failureIn(stage, table);
      syscall("close", started.channel);
      if (failure) throw startError(stage, failure);
    }
  }
  syscall("close", started.channel);
}

function readAll(fd: number, into: Uint8Array<ArrayBuffer>): number {
  let got = 0;
  while (got < into.length) {
    const count = trySyscall("read", fd, into.subarray(got), into.length - got);
    if (count === -4) continue; // EINTR
    if (count <= 0) break;
    got += count;
  }
  return got;
}

function startError(program: Program, { step, call, errno }: Failure): StartError {
  const failed: Step | undefined = program.steps[step];
  const name = failed?.calls[call]?.name ?? "call";
  const cause = new SyscallError(name, errno);
  return new StartError(failed?.label ?? "start", failed?.hints?.[cause.code], cause);
}
