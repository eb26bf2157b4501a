/**
 * What a check is: a question about this host, how it is put, and what the answer says.
 */
import { type Host, NoScratch } from "./host.ts";
import { NoChild } from "./trial.ts";

/**
 * - `ok`: it works
 * - `warn`: containers run, but something of minictr does not work
 * - `fail`: containers do not run
 * - `skip`: not tried, or not needed here; `found` says why
 */
export type Status = "ok" | "warn" | "fail" | "skip";

/** One answer, as `minictr doctor --json` prints it. */
export interface Check {
  id: string;
  /** The heading that it stands under. */
  group: string;
  what: string;
  status: Status;
  found: string;
  /** What of minictr does not work without it. */
  consequence: string;
  /** The command to run, or the file and what to write to it; "" where all is well. */
  remedy: string;
}

/** What looking has shown; `lack` becomes `fail` or `warn`, whichever the probe's lack means. */
export interface Finding {
  status: "ok" | "lack" | "warn" | "skip";
  found: string;
  /** Where this host's remedy is more exact than the probe's. */
  remedy?: string;
}

/** One question: documentation and code in one place, so that docs/doctor.md is made from it. */
export interface Probe {
  readonly id: string;
  readonly what: string;
  /** How it is found out: a sentence without its full stop. */
  readonly how: string;
  /** What of minictr does not work without it: likewise. */
  readonly consequence: string;
  /** What is to be done in general. */
  readonly remedy: string;
  /** No container runs without it. */
  readonly essential?: true;
  /** Cannot be tried without root. */
  readonly root?: true;
  readonly look: (host: Host) => Finding;
}

/** The probes of one heading. */
export interface Group {
  readonly title: string;
  readonly probes: readonly Probe[];
}

export function ok(found: string): Finding {
  return { status: "ok", found };
}

/** It does not work here. */
export function lack(found: string, remedy?: string): Finding {
  return remedy === undefined ? { status: "lack", found } : { status: "lack", found, remedy };
}

/** It works, but not as it should; or only a part does. */
export function warn(found: string, remedy?: string): Finding {
  return remedy === undefined ? { status: "warn", found } : { status: "warn", found, remedy };
}

export function skip(why: string): Finding {
  return { status: "skip", found: why };
}

/** An error of the kernel, or of what was tried, as a finding. */
export function refused(error: unknown, remedy?: string): Finding {
  return lack(error instanceof Error ? error.message : String(error), remedy);
}

/** Puts one question. */
export function check(group: string, probe: Probe, host: Host): Check {
  const { id, what, consequence, essential } = probe;
  const { status, found, remedy = probe.remedy } = answer(probe, host);
  return {
    id,
    group,
    what,
    status: status !== "lack" ? status : essential ? "fail" : "warn",
    found,
    consequence,
    remedy: status === "ok" || status === "skip" ? "" : remedy,
  };
}

function answer(probe: Probe, host: Host): Finding {
  if (probe.root && !host.isRoot) return skip("not tried: this needs root");
  try {
    return probe.look(host);
  } catch (error) {
    if (error instanceof NoChild && !asksForChild(probe)) {
      return skip(`not tried: no throw-away child in the namespaces for it: ${error.message}`);
    }
    if (error instanceof NoScratch) return skip(`not tried: ${error.message}`);
    return refused(error);
  }
}

/** Whether there can be a child, and in which namespaces, are questions of their own. */
function asksForChild({ id }: Probe): boolean {
  return id === "clone3" || id.startsWith("namespace-") || id === "clone-into-cgroup";
}
