/**
 * Pressure stall information: how long processes waited for CPU, memory and block devices.
 * @see the kernel's accounting/psi.rst
 * @module
 */
import type { CgroupHost } from "./host.ts";
import { textOf } from "./live.ts";

/** A part is absent where the kernel does not count it. */
export interface Pressures {
  cpu?: Pressure;
  memory?: Pressure;
  io?: Pressure;
}

/** Shares of time in percent, over 10, 60 and 300 seconds, and the sum. */
export interface Pressure {
  /** Some process waited. */
  some: PressureLine;
  /** None could do anything else meanwhile. */
  full?: PressureLine;
}

export interface PressureLine {
  avg10: number;
  avg60: number;
  avg300: number;
  totalUs: number;
}

/** From cgroup2, which a hybrid host has too; undefined without (boot with psi=1). */
export function readPressures(host: CgroupHost, path: string): Pressures | undefined {
  if (host.unified === undefined) return undefined;
  const directory = host.unified.mountPoint + path;
  const pressures: Pressures = {};
  for (const name of ["cpu", "memory", "io"] as const) {
    const pressure = parsePressure(textOf(`${directory}/${name}.pressure`) ?? "");
    if (pressure !== undefined) pressures[name] = pressure;
  }
  return Object.keys(pressures).length === 0 ? undefined : pressures;
}

/** Lines as "some avg10=0.23 avg60=0.20 avg300=0.87 total=18235618". */
function parsePressure(text: string): Pressure | undefined {
  const lines: Partial<Record<string, PressureLine>> = {};
  for (const [kind = "", ...pairs] of text.split("\n").map((line) => line.split(" "))) {
    const [avg10 = 0, avg60 = 0, avg300 = 0, totalUs = 0] = pairs.map((pair) =>
      Number(pair.slice(pair.indexOf("=") + 1))
    );
    lines[kind] = { avg10, avg60, avg300, totalUs };
  }
  const { some, full } = lines;
  return some && (full ? { some, full } : { some });
}
