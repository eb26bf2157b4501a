/**
 * A limit as the file that holds it.
 * @module
 */

/** What is to be written to one file of a controller, wherever that controller's directory is. */
export interface Setting {
  controller: string;
  file: string;
  content: string;
  /** What it does, in plain words that can follow "cannot": "limit memory to 1024 bytes". */
  label: string;
  /** Without this file the limit holds all the same. */
  optional?: boolean;
  /** What is written where the kernel does not have `file`. */
  otherwise?: Setting;
}

/** -1 is "max" in cgroup v2, and stays -1 in v1. */
export function limitText(version: 1 | 2, limit: number): string {
  return version === 2 && limit < 0 ? "max" : String(limit);
}

/** "no limit" for negative numbers, otherwise the number with its unit. */
export function inWords(limit: number, unit: string): string {
  return limit < 0 ? "no limit" : `${limit} ${unit}`;
}
