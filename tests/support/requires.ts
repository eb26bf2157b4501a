/**
 * What a test needs of the machine. A test that needs what is not there is skipped and shows the
 * reason; where MINICTR_TEST_NO_SKIP=1, it fails instead, unless tests/allowed_skips.txt or
 * MINICTR_TEST_ALLOW_SKIP (comma-separated) names the need.
 */
import { IN_VM, PROJECT } from "./run.ts";

/** A need: one of the names below, or a name with its object, as in `controller:memory`. */
export type Need =
  | "root"
  | "cgroup-v1"
  | "cgroup-v2"
  | "userns"
  | "overlay-on-tmp"
  | "vm"
  | "not-vm"
  | "time"
  | "slow"
  | `controller:${string}`
  | `command:${string}`
  | `file:${string}`
  | `capability:${string}`
  | `arch:${"x86_64" | "aarch64"}`;

/** Why each need is not met here, or undefined. */
const LACKS: Record<string, (object: string) => string | undefined> = {
  "root": () => unless(Deno.uid() === 0, "not running as root"),
  "cgroup-v1": () => unless(isMounted("cgroup", "memory"), "no cgroup v1 hierarchy has memory"),
  "cgroup-v2": () => unless(v2Controllers().includes("memory"), "no cgroup v2 with controllers"),
  "controller": (name) => unless(hasController(name), `no cgroup controller "${name}"`),
  "command": (name) => unless(succeeds("sh", "-c", `command -v ${name}`), `no command "${name}"`),
  "file": (path) => unless(exists(path), `no file "${path}"`),
  "userns": () => unless(succeeds("unshare", "--user", "true"), "user namespaces are refused"),
  "overlay-on-tmp": () => unless(canMountOverlay(), "overlayfs cannot be mounted on TMPDIR"),
  "capability": (name) => unless(hasCapability(name), `no CAP_${name}`),
  "arch": (name) => unless(Deno.build.arch === name, `this is ${Deno.build.arch}`),
  "vm": () => unless(IN_VM, "not in the virtual machine"),
  "not-vm": () => unless(!IN_VM, "too slow in the virtual machine"),
  "slow": () => unless(Deno.env.get("MINICTR_TEST_SLOW") === "1", "MINICTR_TEST_SLOW is not 1"),
  "time": () => unless(Deno.env.get("MINICTR_TEST_QUICK") !== "1", "MINICTR_TEST_QUICK is set"),
};

/** Bits of linux/capability.h that tests ask for. */
const CAPABILITY_BITS: Record<string, bigint> = {
  NET_ADMIN: 12n,
  SYS_ADMIN: 21n,
  SYS_RESOURCE: 24n,
};

const known = new Map<string, string | undefined>();

/** The first need that is not met, with the reason; undefined if all are. */
export function requires(...needs: Need[]): { need: string; reason: string } | undefined {
  for (const need of needs) {
    if (!known.has(need)) known.set(need, lack(need));
    const reason = known.get(need);
    if (reason !== undefined) return { need, reason };
  }
  return undefined;
}

/** How a skip is written behind a test's name. Where skips are failures, only those that a list
 * names pass, and say so; undefined then for the others. */
export function skipMark(need: string, reason: string): string | undefined {
  if (Deno.env.get("MINICTR_TEST_NO_SKIP") !== "1") return ` (skipped: ${reason})`;
  return isListed(need) ? ` (skipped as listed: ${reason})` : undefined;
}

function isListed(need: string): boolean {
  const named = (Deno.env.get("MINICTR_TEST_ALLOW_SKIP") ?? "").split(",");
  return named.includes(need) || listedSkips().includes(need);
}

/** Needs that tests/allowed_skips.txt lists for this machine: lines `host|vm NEED # why`. */
function listedSkips(): string[] {
  const place = IN_VM ? "vm" : "host";
  return Deno.readTextFileSync(`${PROJECT}/tests/allowed_skips.txt`).split("\n")
    .map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
    .filter(([where]) => where === place)
    .map(([, need]) => need ?? "");
}

function lack(need: string): string | undefined {
  const [name = "", object = ""] = need.split(/:(.*)/s);
  const probe = LACKS[name];
  if (probe === undefined) throw new Error(`cannot judge the need "${need}": add it to LACKS`);
  return probe(object);
}

function unless(isMet: boolean, reason: string): string | undefined {
  return isMet ? undefined : reason;
}

function isMounted(type: string, option: string): boolean {
  return Deno.readTextFileSync("/proc/self/mountinfo").split("\n").some((line) => {
    const [, after = ""] = line.split(" - ");
    const [kind, , options = ""] = after.split(" ");
    return kind === type && options.split(",").includes(option);
  });
}

function v2Controllers(): string[] {
  try {
    return Deno.readTextFileSync("/sys/fs/cgroup/cgroup.controllers").trim().split(" ");
  } catch {
    return [];
  }
}

function hasController(name: string): boolean {
  return isMounted("cgroup", name) || v2Controllers().includes(name);
}

function hasCapability(name: string): boolean {
  const bit = CAPABILITY_BITS[name];
  if (bit === undefined) throw new Error(`cannot judge CAP_${name}: add it to CAPABILITY_BITS`);
  const mask = /^CapEff:\s+(\w+)/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1] ?? "0";
  return (BigInt(`0x${mask}`) >> bit & 1n) === 1n;
}

function canMountOverlay(): boolean {
  const script = 'd=$(mktemp -d) && mkdir "$d/l" "$d/u" "$d/w" "$d/m" && ' +
    'mount -t overlay -o "lowerdir=$d/l,upperdir=$d/u,workdir=$d/w" overlay "$d/m"; r=$?; ' +
    'umount "$d/m" 2>/dev/null; rm -rf "$d"; exit $r';
  return succeeds("unshare", "--mount", "sh", "-c", script);
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path) !== undefined;
  } catch {
    return false;
  }
}

function succeeds(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
