import assert from "assert";
import type { Mount } from "../spec/mod.ts";
import { mountSteps, sortMounts } from "./mounts.ts";
import { slot } from "./step.ts";

/** How the target of the last of some mounts is reached: looked for in the root, or made at once. */
function reached(...destinations: [path: string, type: string][]): "by its path" | "at once" {
  const hierarchies = [{ name: "cpu", source: "/sys/fs/cgroup/cpu/x", links: ["cpuacct"] }];
  const mounts = destinations.map(([destination, type]): Mount =>
    type === "bind"
      ? { destination, type, source: "/srv", options: ["rbind"] }
      : { destination, type, source: type }
  );
  const steps = mountSteps(slot("root"), sortMounts(mounts, () => "directory"), {
    kind: "hierarchies",
    hierarchies,
  }, { hierarchies: new Map() });
  const calls = steps.at(-1)?.calls ?? [];
  return calls.some(({ name }) => name === "openat2") ? "by its path" : "at once";
}

Deno.test("a mount in a tmpfs that the plan has just made needs no search", () => {
  assert.equal(reached(["/dev", "tmpfs"], ["/dev/shm", "tmpfs"]), "at once");
  assert.equal(reached(["/dev", "tmpfs"], ["/dev/shm", "bind"]), "at once");
  assert.equal(reached(["/dev", "tmpfs"], ["/sys", "sysfs"], ["/dev/shm", "tmpfs"]), "at once");
  assert.equal(
    reached(["/dev", "tmpfs"], ["/sys", "sysfs"], ["/sys/fs/cgroup", "tmpfs"], ["/dev/x", "tmpfs"]),
    "at once",
  );
});

Deno.test("a mount elsewhere, or where something else may lie by now, is searched for", () => {
  assert.equal(reached(["/dev", "tmpfs"], ["/dev/a/b", "tmpfs"]), "by its path");
  assert.equal(reached(["/dev", "tmpfs"], ["/dev/..", "tmpfs"]), "by its path");
  assert.equal(reached(["/dev", "tmpfs"], ["/dev", "bind"], ["/dev/shm", "tmpfs"]), "by its path");
  // /link may be a link to /dev in the image.
  assert.equal(reached(["/dev", "tmpfs"], ["/link", "bind"], ["/dev/shm", "tmpfs"]), "by its path");
  assert.equal(reached(["/dev", "devtmpfs"], ["/dev/shm", "tmpfs"]), "by its path");
  // Hierarchies of version 1 are linked by their other names.
  assert.equal(reached(["/cgroup", "cgroup"], ["/cgroup/cpuacct", "bind"]), "by its path");
});
