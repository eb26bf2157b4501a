import type { Flag, Grammar } from "./grammar.ts";

const ROOT = {
  name: "root",
  value: "DIR",
  help: "directory of all that minictr keeps",
  default: "/var/lib/minictr",
} as const satisfies Flag;

const COMMON = [
  ROOT,
  { name: "name", value: "NAME", help: "name of the result", default: "the recipe's" },
  { name: "replace", help: "take the place of a root filesystem of that name" },
  { name: "quiet", short: "q", help: "no progress; print the name only" },
] as const satisfies readonly Flag[];

const BUSYBOX = [
  { name: "busybox", value: "FILE", help: "a static busybox", default: "the host's, or Debian's" },
] as const satisfies readonly Flag[];
const HOST = [
  { name: "program", value: "NAME", many: true, help: "one more program, by name or path" },
] as const satisfies readonly Flag[];
const DEBOOTSTRAP = [
  { name: "suite", value: "SUITE", help: "release of Debian", default: "this machine's" },
  { name: "mirror", value: "URL", help: "archive of packages", default: "apt's" },
  { name: "include", value: "PACKAGE", many: true, help: "one more package" },
] as const satisfies readonly Flag[];
const TAR = [
  { name: "sha256", value: "HEX", help: "what the archive's sha256 must be; needed for a URL" },
  { name: "devices", help: "make the device nodes in the archive too" },
] as const satisfies readonly Flag[];

/** The command line of `rootfs build`: each recipe has its group of flags. */
export const ROOTFS_BUILD = {
  command: "rootfs build",
  operands: "busybox|host|debootstrap|tar [FILE|URL]",
  summary: "Build a root filesystem and keep it under a name",
  examples: [
    ["minictr rootfs build busybox", "a static busybox with its applets"],
    ["minictr rootfs build host --program git", "the host's shell and tools, and git"],
    ["minictr rootfs build debootstrap --suite bookworm", "a minimal Debian"],
    [
      "minictr rootfs build tar --name alpine alpine-minirootfs.tar.gz",
      "what an archive holds",
    ],
  ],
  groups: [
    { name: "common", title: "Every recipe", flags: COMMON },
    { name: "busybox", title: "busybox", flags: BUSYBOX },
    { name: "host", title: "host", flags: HOST },
    { name: "debootstrap", title: "debootstrap", flags: DEBOOTSTRAP },
    { name: "tar", title: "tar", flags: TAR },
  ],
} as const satisfies Grammar;

/** The command line of `rootfs ls`. */
export const ROOTFS_LS = {
  command: "rootfs ls",
  operands: "",
  summary: "List the root filesystems that are kept",
  examples: [["minictr rootfs ls --format '{{.Name}} {{.Size}}'", "what a template picks"]],
  groups: [{
    name: "common",
    title: "Options",
    flags: [
      ROOT,
      { name: "quiet", short: "q", help: "print the names only" },
      { name: "json", help: "print JSON" },
      { name: "format", value: "FORMAT", help: "table, json, or a template of Go" },
    ],
  }],
} as const satisfies Grammar;

/** The command line of `rootfs rm`. */
export const ROOTFS_RM = {
  command: "rootfs rm",
  operands: "NAME…",
  summary: "Remove root filesystems that no container uses",
  examples: [["minictr rootfs rm alpine", "one"]],
  groups: [{ name: "common", title: "Options", flags: [ROOT] }],
} as const satisfies Grammar;

/** The command line of `rootfs pack`. */
export const ROOTFS_PACK = {
  command: "rootfs pack",
  operands: "NAME FILE",
  summary: "Pack a root filesystem into one archive, for another machine",
  examples: [
    ["minictr rootfs pack debian debian.tar.gz", "prints the sha256 that unpacking can ask for"],
  ],
  groups: [],
} as const satisfies Grammar;
