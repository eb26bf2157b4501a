/**
 * CPU time and CPU sets; the kernel's sched-bwc.rst, cgroup-v1/cpusets.rst and cgroup-v2.rst.
 * @module
 */
import { SpecError } from "../spec/error.ts";
import type { LinuxCPU } from "../spec/types.ts";
import { inWords, type Setting } from "./setting.ts";

/**
 * `linux.resources.cpu` as files; config-linux.md#cpu. 0 means: leave it as it is, but for `idle`
 * and `burst`. Times are microseconds.
 * @param nowQuota v2, of a live cgroup: the quota that a new period shall keep, "max" or a number
 * @throws SpecError for realtime limits with cgroup v2
 */
export function cpuSettings(version: 1 | 2, cpu: LinuxCPU, nowQuota = "max"): Setting[] {
  return [
    ...shareSettings(version, cpu),
    ...(version === 2 ? v2Bandwidth(cpu, nowQuota) : v1Bandwidth(cpu)),
    ...cpusetSettings(cpu),
  ];
}

/**
 * The weight of cgroup v2 that stands for v1's shares: a curve through 2 -> 1, 1024 -> 100 (both
 * defaults) and 262144 -> 10000. The straight line used before 2025 made 1024 a mere 39.
 * @returns 1..10000, or 0 (leave it) for 0
 */
export function sharesToWeight(shares: number): number {
  if (shares === 0) return 0;
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const l = Math.log2(shares);
  return Math.ceil(10 ** ((l * l + 125 * l) / 612 - 7 / 34));
}

function shareSettings(version: 1 | 2, { shares = 0, idle }: LinuxCPU): Setting[] {
  const settings: Setting[] = [];
  if (idle !== undefined) {
    const label = idle === 1 ? "run when the CPU is idle" : "run as other cgroups do";
    settings.push({ controller: "cpu", file: "cpu.idle", content: String(idle), label });
  }
  // An idle cgroup's weight cannot be written.
  if (shares === 0 || idle === 1) return settings;
  settings.push(
    version === 2
      ? {
        controller: "cpu",
        file: "cpu.weight",
        content: String(sharesToWeight(shares)),
        label: `weigh ${shares} CPU shares`,
      }
      : {
        controller: "cpu",
        file: "cpu.shares",
        content: String(shares),
        label: `weigh ${shares} CPU shares`,
      },
  );
  return settings;
}

function v2Bandwidth(cpu: LinuxCPU, nowQuota: string): Setting[] {
  const { quota = 0, period = 0, burst } = cpu;
  if (cpu.realtimeRuntime) throw realtimeRefusal("realtimeRuntime");
  if (cpu.realtimePeriod) throw realtimeRefusal("realtimePeriod");
  const settings: Setting[] = [];
  if (quota !== 0 || period !== 0) {
    const text = quota === 0 ? nowQuota : quota < 0 ? "max" : String(quota);
    settings.push({
      controller: "cpu",
      file: "cpu.max",
      // A quota alone leaves the period as it is.
      content: period === 0 ? text : `${text} ${period}`,
      label: quotaLabel(quota, period),
    });
  }
  return settings.length === 0
    ? burstSettings("cpu.max.burst", burst)
    : aroundQuota("cpu.max.burst", burst, settings);
}

function realtimeRefusal(field: string): SpecError {
  return new SpecError(`linux.resources.cpu.${field}`, "cgroup v2 has no such setting");
}

function v1Bandwidth(cpu: LinuxCPU): Setting[] {
  const { quota = 0, period = 0, burst, realtimePeriod = 0, realtimeRuntime = 0 } = cpu;
  const put = (file: string, content: number, label: string): Setting => (
    { controller: "cpu", file, content: String(content), label }
  );
  const settings: Setting[] = [];
  if (period !== 0) {
    settings.push(put("cpu.cfs_period_us", period, `share CPU time out each ${period} us`));
  }
  if (quota !== 0) {
    settings.push(put("cpu.cfs_quota_us", Math.max(quota, -1), quotaLabel(quota, period)));
  }
  const bandwidth = settings.length === 0
    ? burstSettings("cpu.cfs_burst_us", burst)
    : aroundQuota("cpu.cfs_burst_us", burst, settings);
  if (realtimePeriod !== 0) {
    const label = `share realtime CPU time out each ${realtimePeriod} us`;
    bandwidth.push(put("cpu.rt_period_us", realtimePeriod, label));
  }
  if (realtimeRuntime !== 0) {
    const label = `limit realtime CPU time to ${realtimeRuntime} us`;
    bandwidth.push(put("cpu.rt_runtime_us", realtimeRuntime, label));
  }
  return bandwidth;
}

function quotaLabel(quota: number, period: number): string {
  if (quota === 0) return `share CPU time out each ${period} us`;
  const each = period === 0 ? "" : ` each ${period} us`;
  return `limit CPU time to ${inWords(quota, "us")}${each}`;
}

/** A burst above the quota is refused at every moment: it goes to 0 first, and comes last. */
function aroundQuota(file: string, burst: number | undefined, quota: Setting[]): Setting[] {
  if (burst === undefined) return quota;
  return [...burstSettings(file, 0), ...quota, ...(burst === 0 ? [] : burstSettings(file, burst))];
}

function burstSettings(file: string, burst: number | undefined): Setting[] {
  if (burst === undefined) return [];
  const setting: Setting = {
    controller: "cpu",
    file,
    content: String(burst),
    label: `let unused CPU time add up to ${burst} us`,
  };
  // Kernels before 5.14 have no burst, which is what 0 asks for.
  if (burst === 0) setting.optional = true;
  return [setting];
}

function cpusetSettings({ cpus, mems }: LinuxCPU): Setting[] {
  const settings: Setting[] = [];
  if (cpus) {
    const label = `run on the CPUs ${cpus}`;
    settings.push({ controller: "cpuset", file: "cpuset.cpus", content: cpus, label });
  }
  if (mems) {
    const label = `use the memory nodes ${mems}`;
    settings.push({ controller: "cpuset", file: "cpuset.mems", content: mems, label });
  }
  return settings;
}
