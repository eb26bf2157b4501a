import { SpecError } from "../spec/error.ts";
import { joinCgroup } from "./cgroup.ts";
import { awaitMinictr, MESSAGE, reportTrace } from "./channel.ts";
import { deviceSteps, nodesOf } from "./devices.ts";
import { setDomainname, setHostname, sysctlSteps } from "./identity.ts";
import { stayAsInit } from "./init.ts";
import { maskSteps, prepareMask, readonlySteps } from "./masks.ts";
import { mountSteps } from "./mounts.ts";
import { becomeSecond, enterNamespaces, newCgroupNamespace } from "./namespaces.ts";
import { loopbackUp } from "./network.ts";
import { privilegeSteps } from "./privileges.ts";
import { dieWithParent, execute, newSession, resetSignals, tellByProc } from "./process.ts";
import { attachRoot, enterRoot, privateMounts, propagateRoot, readonlyRoot } from "./root.ts";
import { call, ofCommand, type Slot, slot, type Step, step } from "./step.ts";
import { ensureTarget } from "./target.ts";
import { openTerminal, takeStreams } from "./terminal.ts";

import type { Parts } from "./parts.ts";

/** Everything that the stage does, from its birth to the execution of the command. */
export function stageSteps(parts: Parts): Step[] {
  const { spec, around, root } = parts;
  const { linux = {} } = spec;
  return [
    ...birthSteps(parts),
    privateMounts(),
    attachRoot(root),
    ...filesystemSteps(parts),
    ...linux.maskedPaths?.length ? [prepareMask(parts.mask)] : [],
    ...coverSteps(parts),
    enterRoot(root),
    ...linux.rootfsPropagation ? [propagateRoot(root, linux.rootfsPropagation)] : [],
    ...around.barrier ? [awaitMinictr(parts.channel)] : [],
    ...privilegeSteps(spec.process, around, parts.channel),
    ...around.trace ? [reportTrace(parts.channel)] : [],
    ...around.init ? stayAsInit() : [],
    execute(spec.process ?? { cwd: "/", user: { uid: 0, gid: 0 } }),
  ];
}

/** From birth to being in all namespaces. */
function birthSteps(parts: Parts): Step[] {
  const { spec, around, namespaces, channel } = parts;
  const { process, hostname, domainname } = spec;
  const join = around.cgroup ? joinCgroup(around.cgroup.join) : [];
  return [
    resetSignals(),
    step("let modes of new files be as given", [call("umask", [0])]),
    ...process ? tellByProc(process) : [],
    ...join,
    ...enterNamespaces(namespaces),
    ...namespaces.second ? [becomeSecond(channel, MESSAGE.second, parts.second)] : [],
    ...around.foreground ? [dieWithParent(channel)] : [],
    newSession(),
    ...namespaces.of("cgroup") === "new" ? [newCgroupNamespace()] : [],
    ...hostname ? [setHostname(hostname)] : [],
    ...domainname ? [setDomainname(domainname)] : [],
    ...namespaces.of("network") === "new" ? [loopbackUp()] : [],
  ];
}

/** Mounts, devices, and the standard streams that are made of them. */
function filesystemSteps(parts: Parts): Step[] {
  const { spec, around, planned, root, dev, streams, slots, trees } = parts;
  const channel = parts.terminal ?? parts.channel;
  const { process, linux = {} } = spec;
  const ownDev = !planned.some(({ mount, tree }) => mount.destination === "/dev" && tree);
  const nodes = ownDev ? nodesOf(linux.devices ?? []) : [];
  const mounted = mountSteps(root, planned, around.cgroup?.mounts, slots);
  return [
    ...mounted,
    ...deviceSteps(root, dev, nodes, trees),
    ...process?.terminal
      ? openTerminal(root, { devpts: slots.devpts, dev, channel }, {
        kind: MESSAGE.terminal,
        user: process.user,
        size: process.consoleSize,
      })
      : takeStreams(around.streams, streams, { directory: dev, path: "null" }),
    ...cwdSteps(root, process?.cwd ?? "/"),
  ].filter(({ calls }) => calls.length > 0);
}

/** The working directory is made where it is missing, as runc and docker do. */
function cwdSteps(root: Slot, cwd: string): Step[] {
  if (cwd === "/" || cwd === "") return [];
  return [
    ofCommand(step(`see that ${cwd} exists`, [
      ...ensureTarget(root, cwd, "directory", slot(cwd)),
    ], { EROFS: `"${cwd}" is missing and the root filesystem is read-only` })),
  ];
}

/** What is changed or covered when all is mounted; the mask needs the host's root to be there. */
function coverSteps({ spec, root, dev, mask, slots }: Parts): Step[] {
  const { linux = {} } = spec;
  const sysctl = linux.sysctl ?? {};
  if (Object.keys(sysctl).length > 0 && !slots.proc) {
    throw new SpecError("linux.sysctl", "needs a proc mount on /proc");
  }
  return [
    ...slots.proc ? sysctlSteps(slots.proc, sysctl) : [],
    ...maskSteps(root, linux.maskedPaths ?? [], { directory: mask, dev }),
    ...readonlySteps(root, linux.readonlyPaths ?? []),
    ...spec.root?.readonly ? [readonlyRoot(root)] : [],
  ];
}
