import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_PRIVATE,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
} from "../../ffi/constants.ts";
import { SpecError } from "../spec/error.ts";
import { type Flags, flags } from "./step.ts";

/** A mount's options, sorted by what becomes of them. */
export interface MountOptions {
  /** MOUNT_ATTR_* to set on the mount alone, and to clear. */
  set: Record<string, number>;
  clear: Record<string, number>;
  /** The same for the mount and all below it (`rro`, `rnosuid`, …). */
  setBelow: Record<string, number>;
  clearBelow: Record<string, number>;
  /** MS_PRIVATE and the like. */
  propagation?: { flag: Record<string, number>; below: boolean };
  bind?: { below: boolean };
  /** Options of the filesystem itself: `size=64k`, `newinstance`. */
  data: string[];
  /** A copy of the directory that the mount hides (`tmpcopyup`), which only tmpfs has. */
  copyUp: boolean;
  /** `idmap` or `ridmap`. */
  idmap?: { below: boolean };
}

/** Each attribute option: what it sets and clears; a prefix `r` means all mounts below, too. */
const ATTRIBUTES: Record<string, { set?: Record<string, number>; clear?: Record<string, number> }> =
  {
    ro: { set: { MOUNT_ATTR_RDONLY } },
    rw: { clear: { MOUNT_ATTR_RDONLY } },
    nosuid: { set: { MOUNT_ATTR_NOSUID } },
    suid: { clear: { MOUNT_ATTR_NOSUID } },
    nodev: { set: { MOUNT_ATTR_NODEV } },
    dev: { clear: { MOUNT_ATTR_NODEV } },
    noexec: { set: { MOUNT_ATTR_NOEXEC } },
    exec: { clear: { MOUNT_ATTR_NOEXEC } },
    nodiratime: { set: { MOUNT_ATTR_NODIRATIME } },
    diratime: { clear: { MOUNT_ATTR_NODIRATIME } },
    nosymfollow: { set: { MOUNT_ATTR_NOSYMFOLLOW } },
    symfollow: { clear: { MOUNT_ATTR_NOSYMFOLLOW } },
    // The access time options are one field of two bits: it is cleared before it is set.
    relatime: { clear: { MOUNT_ATTR__ATIME } },
    atime: { clear: { MOUNT_ATTR__ATIME } },
    norelatime: { clear: { MOUNT_ATTR__ATIME } },
    nostrictatime: { clear: { MOUNT_ATTR__ATIME } },
    noatime: { set: { MOUNT_ATTR_NOATIME }, clear: { MOUNT_ATTR__ATIME } },
    strictatime: { set: { MOUNT_ATTR_STRICTATIME }, clear: { MOUNT_ATTR__ATIME } },
  };

const ACCESS_TIMES = { MOUNT_ATTR_NOATIME, MOUNT_ATTR_STRICTATIME };

const PROPAGATION: Record<string, Record<string, number>> = {
  private: { MS_PRIVATE },
  slave: { MS_SLAVE },
  shared: { MS_SHARED },
  unbindable: { MS_UNBINDABLE },
};

/**
 * Sorts `mounts[].options` of config.json; config.md#mounts, mount_setattr(2).
 *
 * @throws {SpecError} for an option that contradicts the mount's type
 */
export function parseMountOptions(options: string[], field: string): MountOptions {
  const sorted: MountOptions = {
    set: {},
    clear: {},
    setBelow: {},
    clearBelow: {},
    data: [],
    copyUp: false,
  };
  for (const option of options) sortOption(sorted, option);
  if (sorted.bind && sorted.copyUp) throw new SpecError(field, '"tmpcopyup" is for tmpfs only');
  return sorted;
}

function sortOption(sorted: MountOptions, option: string): void {
  const below = option.startsWith("r") && option !== "ro" && option !== "rw" &&
    option !== "relatime";
  const plain = below ? option.slice(1) : option;
  const attribute = ATTRIBUTES[plain];
  const propagation = PROPAGATION[plain];
  if (attribute) {
    const [set, clear] = below ? [sorted.setBelow, sorted.clearBelow] : [sorted.set, sorted.clear];
    forget(set, attribute.clear);
    if (attribute.clear && "MOUNT_ATTR__ATIME" in attribute.clear) forget(set, ACCESS_TIMES);
    forget(clear, attribute.set);
    Object.assign(set, attribute.set);
    Object.assign(clear, attribute.clear);
  } else if (propagation) {
    sorted.propagation = { flag: propagation, below };
  } else if (plain === "bind") {
    sorted.bind = { below };
  } else if (plain === "idmap") {
    sorted.idmap = { below };
  } else if (option === "tmpcopyup") {
    sorted.copyUp = true;
  } else if (option !== "defaults" && option !== "async" && option !== "") {
    sorted.data.push(option);
  }
}

/** `delete` makes an object slow: only where there is something. */
function forget(from: Record<string, number>, names: Record<string, number> | undefined): void {
  for (const name in names) if (name in from) delete from[name];
}

/** The attributes that fsmount(2) takes for a new mount. */
export function newMountAttributes(options: MountOptions): Flags {
  return flags({ ...options.set, ...options.setBelow });
}
