import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  OPEN_TREE_CLONE,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
} from "../../ffi/constants.ts";
import type { LinuxDevice, LinuxDeviceCgroup } from "../spec/types.ts";
import { SpecError } from "../spec/error.ts";
import { attach } from "./calls.ts";
import { call, flags, ignore, type Slot, slot, type Step, step } from "./step.ts";
import { ensureTarget, openPlain } from "./target.ts";

/** Nodes that every container has; config-linux.md#default-devices. */
const DEFAULT_NODES: LinuxDevice[] = [
  ["null", 1, 3],
  ["zero", 1, 5],
  ["full", 1, 7],
  ["random", 1, 8],
  ["urandom", 1, 9],
  ["tty", 5, 0],
].map(([name, major, minor]) => ({
  path: `/dev/${name}`,
  type: "c",
  major: Number(major),
  minor: Number(minor),
  fileMode: 0o666,
}));

/**
 * Device rules that hold for every container, after those of the spec: nodes may be made, and the
 * default ones, ptys and tun be used; as runc's.
 */
export const DEFAULT_RULES: LinuxDeviceCgroup[] = [
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  ...[[1, 3], [1, 5], [1, 7], [1, 8], [1, 9], [5, 0], [5, 2], [10, 200]].map(
    ([major, minor]): LinuxDeviceCgroup => {
      return { allow: true, type: "c", access: "rwm", major: major ?? 0, minor: minor ?? 0 };
    },
  ),
  { allow: true, type: "c", access: "rwm", major: 136 },
];

const LINKS = [
  ["/proc/self/fd", "fd"],
  ["/proc/self/fd/0", "stdin"],
  ["/proc/self/fd/1", "stdout"],
  ["/proc/self/fd/2", "stderr"],
  ["pts/ptmx", "ptmx"],
] as const;

const TYPES: Record<string, Record<string, number>> = {
  c: { S_IFCHR },
  u: { S_IFCHR },
  b: { S_IFBLK },
  p: { S_IFIFO },
};

/** A device number as mknod(2) takes it. */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** The default nodes and those of `linux.devices`; a later one of the same path wins. */
export function nodesOf(devices: LinuxDevice[]): LinuxDevice[] {
  const byPath = new Map([...DEFAULT_NODES, ...devices].map((device) => [device.path, device]));
  return [...byPath.values()];
}

/** Host's side, with a user namespace: mknod(2) is refused there, so the host's nodes are bound. */
export function openNodes(nodes: LinuxDevice[], trees: Map<string, Slot>): Step[] {
  return nodes.map(({ path }) => {
    const tree = slot(`host ${path}`);
    trees.set(path, tree);
    return step(`open the host's ${path}`, [
      call("open_tree", [flags({ AT_FDCWD }), path, flags({ OPEN_TREE_CLONE })], { to: tree }),
    ]);
  });
}

/**
 * Container's side: /dev's nodes and links, all made inside the directory that `dev` results in
 * (CVE-2026-41579: an image's /dev may be a link).
 *
 * @param trees with a user namespace: the host's nodes by path, to be bound
 */
export function deviceSteps(
  root: Slot,
  dev: Slot,
  nodes: LinuxDevice[],
  trees: Map<string, Slot>,
): Step[] {
  return [
    step("open /dev", [openPlain(root, "dev", { to: dev })], {
      ELOOP: "/dev of the root filesystem is a symbolic link, which is refused",
      ENOENT: "the root filesystem has no /dev, and no mount of the spec makes one",
    }),
    ...nodes.map((node) => {
      const tree = trees.get(node.path);
      return tree ? boundNode(root, node, tree) : newNode(root, dev, node);
    }),
    step(
      "make the links of /dev",
      LINKS.map(([to, name], index) =>
        call("symlinkat", [to, dev, name], {
          id: `.${index}`,
          on: [{ errno: "EEXIST", goto: index + 1 < LINKS.length ? `.${index + 1}` : "next" }],
        })
      ),
    ),
  ];
}

function newNode(root: Slot, dev: Slot, node: LinuxDevice): Step {
  const { path, type, major = 0, minor = 0, fileMode = 0o666, uid = 0, gid = 0 } = node;
  const kind = TYPES[type];
  if (!kind) throw new SpecError("linux.devices", `"${type}" is no type of device (c, b, u, p)`);
  const parts = path.split("/").filter((part) => part !== "");
  const name = parts.pop() ?? "";
  const nested = !(parts.length === 1 && parts[0] === "dev");
  const parent = nested ? slot(`/${parts.join("/")}`) : dev;
  const permissions = fileMode & 0o7777;
  const mode = flags({ ...kind, [`0${permissions.toString(8)}`]: permissions });
  return step(`make the device ${path}`, [
    ...nested ? ensureTarget(root, `/${parts.join("/")}`, "directory", parent) : [],
    call("mknodat", [parent, name, mode, deviceNumber(major, minor)], { on: ignore("EEXIST") }),
    ...uid !== 0 || gid !== 0
      ? [call("fchownat", [parent, name, uid, gid, flags({ AT_SYMLINK_NOFOLLOW })])]
      : [],
  ], { EPERM: "making device nodes needs CAP_MKNOD outside of a user namespace" });
}

function boundNode(root: Slot, { path }: LinuxDevice, tree: Slot): Step {
  const target = slot(path);
  return step(`bind the host's ${path}`, [
    ...ensureTarget(root, path, "file", target),
    attach(tree, target),
  ]);
}
