import type { RootSource } from "../plan/mod.ts";
import { printSpec, readSpec, type Spec } from "../spec/mod.ts";
import type { EtcFiles } from "./etc_files.ts";
import type { HealthCheck } from "./health.ts";
import type { NetworkRequest } from "./networking.ts";
import type { Roots } from "./state.ts";
import type { VolumeUse } from "./volumes.ts";

/** When a container that has ended is started again. */
export interface RestartPolicy {
  name: "always" | "unless-stopped" | "on-failure";
  /** After a failure, at most so often; absent: always. */
  most?: number;
}

/**
 * What lasts of a container: `container.json` below the data root, beside its spec (`config.json`), its
 * log, its writable layer and the record of its last end.
 */
export interface Definition {
  version: 1;
  id: string;
  name: string;
  /** ISO 8601. */
  created: string;
  root: RootSource;
  /** The root filesystem as the user named it. */
  image: string;
  /** The command, for people. */
  command: string[];
  /** Whether it has been started ever. */
  started?: boolean;
  /** Taken away as soon as it has ended. */
  remove: boolean;
  /** Absent: never. */
  restart?: RestartPolicy;
  health?: HealthCheck;
  init: boolean;
  /** Whether its standard input is kept open for whoever attaches. */
  interactive?: boolean;
  mapRoot: boolean;
  labels: Record<string, string>;
  /** Number. */
  stopSignal: number;
  stopTimeoutMs: number;
  /** After so long it is killed; absent: never. */
  timeoutMs?: number;
  log: LogOptions;
  /** Files of /etc made in its state directory at each start. */
  etc: EtcFiles;
  /** The networks that it is on; absent: none, or another's. */
  network?: NetworkRequest;
  createSources: string[];
  volumes?: VolumeUse[];
}

/** How much is kept of what a container writes. */
export interface LogOptions {
  limitBytes: number;
  /** How many, the current one included. */
  files: number;
  /** Nothing is kept but what those who are attached have still to read. */
  driver?: "none";
}

/** docker's local driver: 5 files of 20 MB. */
export const DEFAULT_LOG: LogOptions = { limitBytes: 20_000_000, files: 5 };

/** The directory of what lasts of a container. */
export function dataDirectory(roots: Roots, id: string): string {
  return `${roots.data}/containers/${id}`;
}

/**
 * Writes a new definition and its spec; the definition last, by rename: without it there is no
 * container. If that fails, as on a full disk, nothing is left.
 */
export async function writeDefinition(
  roots: Roots,
  definition: Definition,
  spec: Spec,
): Promise<void> {
  const directory = dataDirectory(roots, definition.id);
  const text = await printSpec(spec);
  Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    writeWhole(`${directory}/config.json`, text);
    changeDefinition(roots, definition);
  } catch (error) {
    removeDefinition(roots, definition.id);
    throw error;
  }
}

/** Writes a definition in the place of the one that there is. */
export function changeDefinition(roots: Roots, definition: Definition): void {
  const text = JSON.stringify(definition, null, 2);
  writeWhole(`${dataDirectory(roots, definition.id)}/container.json`, text);
}

/**
 * Writes a file of root's by rename: a reader sees the old one, the new one, or none.
 *
 * @param how synced: so does who comes after a power cut; fsync(2)
 */
export function writeWhole(path: string, text: string, how?: "synced"): void {
  Deno.writeTextFileSync(`${path}.new`, text, { mode: 0o600 });
  if (how === "synced") {
    using file = Deno.openSync(`${path}.new`, { write: true });
    file.syncSync();
  }
  Deno.renameSync(`${path}.new`, path);
}

/** Takes away what lasts of a container: the definition first, so that a crash leaves none half there. */
export function removeDefinition(roots: Roots, id: string): void {
  const directory = dataDirectory(roots, id);
  for (const path of [`${directory}/container.json`, directory]) {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** The definition of a container; undefined where there is none. */
export function readDefinition(roots: Roots, id: string): Definition | undefined {
  try {
    const text = Deno.readTextFileSync(`${dataDirectory(roots, id)}/container.json`);
    const value: unknown = JSON.parse(text);
    return isDefinition(value) ? value : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The spec of a container that has a definition. */
export async function readDefinedSpec(roots: Roots, id: string): Promise<Spec> {
  return await readSpec(Deno.readTextFileSync(`${dataDirectory(roots, id)}/config.json`));
}

/** All definitions, in no order. */
export function readDefinitions(roots: Roots): Definition[] {
  try {
    return Array.from(Deno.readDirSync(`${roots.data}/containers`), ({ name }) => name)
      .map((id) => readDefinition(roots, id)).filter((definition) => definition !== undefined);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function isDefinition(value: unknown): value is Definition {
  return typeof value === "object" && value !== null && "version" in value &&
    value.version === 1 && "id" in value && "root" in value && "log" in value;
}

/**
 * Notes whether a container was stopped by hand: then its restart policy leaves it alone, until it is
 * started by hand again.
 */
export function markStopped(roots: Roots, id: string, stopped: boolean): void {
  const path = `${dataDirectory(roots, id)}/stopped`;
  if (stopped) Deno.writeTextFileSync(path, "", { mode: 0o600 });
  else removeIfThere(path);
}

/** Whether a container was stopped by hand. */
export function wasStopped(roots: Roots, id: string): boolean {
  try {
    return Deno.statSync(`${dataDirectory(roots, id)}/stopped`).isFile;
  } catch {
    return false;
  }
}

/** Removes a file or nothing. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** How a container ended, as its supervisor noted it. */
export interface ExitRecord {
  /** As a shell shows it: the exit code, or 128 plus a signal. */
  status: number;
  signal?: number;
  /** Its supervisor killed it, since its time was over. */
  timedOut?: boolean;
  /** Milliseconds since 1970. */
  atMs: number;
}

const CLD_EXITED = 1, SIGKILL = 9;

/** The record of a container's last end; undefined where there is none. */
export function readExit(roots: Roots, id: string): ExitRecord | undefined {
  try {
    return exitIn(Deno.readFileSync(`${dataDirectory(roots, id)}/exit`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The record that a supervisor wrote: EXIT_RECORD_SIZE bytes. */
export function exitIn(bytes: Uint8Array): ExitRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const code = view.getUint32(0, true), status = view.getUint32(4, true);
  const atMs = Number(view.getBigUint64(8, true)) * 1000 +
    Number(view.getBigUint64(16, true)) / 1e6;
  if (code === CLD_EXITED) return { status, atMs };
  const timedOut = status === SIGKILL && bytes.length > 24 && view.getUint32(24, true) === 1;
  return { status: 128 + status, signal: status, atMs, ...timedOut ? { timedOut } : {} };
}
