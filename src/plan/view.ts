import { AT_FDCWD, O_CLOEXEC } from "../../ffi/constants.ts";
import type { Mount } from "../spec/types.ts";
import { openSources, sortMounts } from "./mounts.ts";
import { openRoot, type RootSource } from "./root.ts";
import { call, flags, type Slot, slot, type Step, step } from "./step.ts";
import type { TargetKind } from "./target.ts";

/** What is opened to look at a container's files while it does not run. */
export interface ViewPlan {
  steps: Step[];
  /** The root filesystem as a detached mount. */
  root: Slot;
  /** What is bound in it, in the order of mounting. */
  trees: { destination: string; kind: TargetKind; tree: Slot }[];
}

/**
 * The same mounts as at a start, opened and attached nowhere: the root, and what the user has bound
 * in it. Filesystems that a start makes new, as a tmpfs, hold nothing while nothing runs.
 *
 * @param userNamespace where the container's user namespace can be opened
 */
export function planView(
  source: RootSource,
  mounts: Mount[],
  kindOf: (source: string) => TargetKind,
  userNamespace: string | undefined,
): ViewPlan {
  const idmap = userNamespace === undefined ? undefined : slot("user namespace");
  const root = slot("root");
  const planned = sortMounts(mounts, kindOf).filter(({ tree }) => tree);
  return {
    steps: [
      ...idmap && userNamespace !== undefined
        ? [step("open the user namespace", [
          call("openat", [flags({ AT_FDCWD }), userNamespace, flags({ O_CLOEXEC }), 0], {
            to: idmap,
          }),
        ])]
        : [],
      ...openSources(planned, idmap),
      ...openRoot(source, root, { idmap }),
    ],
    root,
    trees: planned.flatMap(({ mount: { destination }, kind, tree }) =>
      tree ? [{ destination, kind, tree }] : []
    ),
  };
}
