import { readCgroupHost } from "../cgroup/host.ts";
import { cpuTimeUs, type Usage, usage, type UsageFiles, usageFiles } from "../cgroup/mod.ts";
import type { Known } from "./list.ts";

/** What a container uses; all 0 for one that does not run. */
export interface Figures extends Usage {
  known: Known;
  /** Of one processor, over the time between two samples. */
  cpuPercent: number;
  receivedBytes: number;
  sentBytes: number;
}

const NOTHING = {
  memoryBytes: 0,
  readBytes: 0,
  writeBytes: 0,
  pids: 0,
  cpuPercent: 0,
  receivedBytes: 0,
  sentBytes: 0,
};

/** What several containers use, sampled again and again. */
export class Sampler {
  readonly #host = readCgroupHost();
  readonly #files = new Map<string, UsageFiles>();
  readonly #before = new Map<string, { atMs: number; cpuUs: number }>();
  readonly #ownNetwork = networkOf("self");

  /** Only notes the processor time: what the next sample is compared with. */
  begin(all: readonly Known[]): void {
    for (const known of all) this.#cpuPercent(known);
  }

  /**
   * What each uses now, and of the processors since it was asked for last.
   *
   * docker divides by the processor time of the whole host and multiplies by its processors, which
   * is the time that has gone by.
   */
  sample(all: readonly Known[]): Figures[] {
    return all.map((known) => {
      const { state } = known;
      if (state?.pid === undefined) return { known, ...NOTHING };
      const cpuPercent = this.#cpuPercent(known);
      return {
        known,
        cpuPercent,
        ...usage(this.#filesOf(known.id, state.cgroup)),
        ...this.#network(state.pid),
      };
    });
  }

  #cpuPercent({ id, state }: Known): number {
    if (state?.pid === undefined) return 0;
    const cpuUs = cpuTimeUs(this.#filesOf(id, state.cgroup));
    const atMs = performance.now();
    const before = this.#before.get(id);
    this.#before.set(id, { atMs, cpuUs });
    if (!before || atMs <= before.atMs || cpuUs < before.cpuUs) return 0;
    return (cpuUs - before.cpuUs) / 1000 / (atMs - before.atMs) * 100;
  }

  #filesOf(id: string, cgroup: string): UsageFiles {
    let files = this.#files.get(id);
    if (!files) this.#files.set(id, files = usageFiles(this.#host, cgroup));
    return files;
  }

  /** Of all interfaces of its own; none for one that has the host's. */
  #network(pid: number): Pick<Figures, "receivedBytes" | "sentBytes"> {
    if (networkOf(pid) === this.#ownNetwork) return { receivedBytes: 0, sentBytes: 0 };
    try {
      return traffic(Deno.readTextFileSync(`/proc/${pid}/net/dev`));
    } catch (error) {
      if (error instanceof Error) return { receivedBytes: 0, sentBytes: 0 }; // It has just ended.
      throw error;
    }
  }
}

function networkOf(pid: number | "self"): string {
  try {
    return Deno.readLinkSync(`/proc/${pid}/ns/net`);
  } catch (error) {
    if (error instanceof Error) return ""; // It has just ended.
    throw error;
  }
}

/** The sums over all interfaces but lo; /proc/net/dev has received bytes first, sent ones ninth. */
export function traffic(text: string): Pick<Figures, "receivedBytes" | "sentBytes"> {
  let receivedBytes = 0, sentBytes = 0;
  for (const line of text.split("\n")) {
    const [, name, rest = ""] = /^ *([^:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || name === "lo") continue;
    const counts = rest.split(/\s+/).map(Number);
    receivedBytes += counts[0] ?? 0;
    sentBytes += counts[8] ?? 0;
  }
  return { receivedBytes, sentBytes };
}
