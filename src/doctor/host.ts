/**
 * The host as the checks see it, and the scratch that their trials use.
 */
import { AT_FDCWD, O_CLOEXEC, O_PATH, syscall } from "../../ffi/mod.ts";
import { cgroupDirectories, type CgroupHost, readCgroupHost, remove } from "../cgroup/mod.ts";
import type { Roots } from "../container/mod.ts";
import { type Call, call } from "../plan/step.ts";
import { fieldOf, type Mount, mountIn } from "./text.ts";
import { opened, type Trial, type TrialOptions, tryInChild } from "./trial.ts";

/** What a check may ask for; each is found out, or made, when first asked for. */
export interface Host {
  readonly isRoot: boolean;
  readonly roots: Roots;
  /** utsname's release: "6.1.0-56-amd64". */
  readonly release: string;
  readonly cgroups: CgroupHost;
  /** An empty directory on the data root's filesystem, or, without leave to write there, on that
   * of temporary files. Removed at the end. */
  readonly scratch: string;
  /** A cgroup of its own in each hierarchy, removed at the end. */
  readonly cgroup: ThrowAwayCgroup;
  /** The content of a small file without blanks around it; undefined where it cannot be read. */
  text(path: string): string | undefined;
  /** What is mounted where a directory is. */
  mountAt(directory: string): Mount | undefined;
  /** Lets a throw-away child make some calls. */
  try(calls: Call[], options?: TrialOptions): Trial;
}

/** The trials' cgroup: its path within the hierarchies, and where it could not be made. */
export interface ThrowAwayCgroup {
  readonly path: string;
  /** The kernel's answer by directory. */
  readonly failures: ReadonlyMap<string, string>;
}

/** The host, and at the end of its scope nothing of what was made on it. */
export class TriedHost implements Host, Disposable {
  readonly isRoot = Deno.uid() === 0;
  readonly release = Deno.osRelease();
  #cgroups: CgroupHost | undefined;
  #scratch: string | undefined;
  #cgroup: ThrowAwayCgroup | undefined;

  constructor(readonly roots: Roots) {}

  get cgroups(): CgroupHost {
    return this.#cgroups ??= readCgroupHost();
  }

  get scratch(): string {
    return this.#scratch ??= makeScratch(this.roots.data);
  }

  get cgroup(): ThrowAwayCgroup {
    return this.#cgroup ??= makeCgroup(
      this.cgroups,
      `/minictr-doctor-${crypto.randomUUID().slice(0, 8)}`,
    );
  }

  text(path: string): string | undefined {
    try {
      return Deno.readTextFileSync(path).trim();
    } catch {
      return undefined;
    }
  }

  mountAt(directory: string): Mount | undefined {
    using fd = opened("openat", AT_FDCWD, directory, O_PATH | O_CLOEXEC, 0);
    const id = fieldOf(this.text(`/proc/self/fdinfo/${fd.number}`) ?? "", "mnt_id");
    return mountIn(this.text("/proc/self/mountinfo") ?? "", id ?? "");
  }

  try(calls: Call[], options?: TrialOptions): Trial {
    return tryInChild(calls.length === 0 ? [call("getpid", [])] : calls, this.#stagePath, options);
  }

  /** Used, and unlinked at once, only where memory files may not be executed. */
  get #stagePath(): string {
    return `${Deno.env.get("TMPDIR") ?? "/tmp"}/.minictr-doctor-${crypto.randomUUID()}`;
  }

  [Symbol.dispose](): void {
    if (this.#cgroup) remove(this.cgroups, this.#cgroup.path);
    if (this.#scratch !== undefined) Deno.removeSync(this.#scratch, { recursive: true });
  }
}

/** The directory that a path would be made in: itself or the nearest parent that is there. */
export function nearest(path: string): string {
  for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
    try {
      return Deno.realPathSync(at);
    } catch {
      // Its parent, then.
    }
  }
  return "/";
}

/** There is no directory to try things in: data root and temporary files cannot be written to. */
export class NoScratch extends Error {
  override name = "NoScratch";
}

function makeScratch(data: string): string {
  const prefix = ".minictr-doctor-";
  try {
    return Deno.makeTempDirSync({ dir: nearest(data), prefix });
  } catch {
    // Without root, most often.
  }
  try {
    return Deno.makeTempDirSync({ prefix });
  } catch (cause) {
    throw new NoScratch("no directory can be made for it", { cause });
  }
}

function makeCgroup(host: CgroupHost, path: string): ThrowAwayCgroup {
  const failures = new Map<string, string>();
  for (const directory of cgroupDirectories(host, path)) {
    try {
      syscall("mkdirat", AT_FDCWD, directory, 0o755);
    } catch (error) {
      failures.set(directory, error instanceof Error ? error.message : String(error));
    }
  }
  return { path, failures };
}
