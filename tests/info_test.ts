import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox"] as const;

test("info counts containers by their state", { requires }, async (t) => {
  const create = ["create", "--network", "none", "--rootfs", `${t.rootfs}:O`, "--name"];
  for (const name of ["one", "two"]) await t.minictr([...create, name, "sleep", "100"]);
  await t.minictr(["start", "one"]);
  const { out } = await t.minictr(["info", "--format", "json"]);
  const { Containers, ContainersRunning, ContainersStopped } = JSON.parse(out);
  assert.deepEqual([Containers, ContainersRunning, ContainersStopped], [2, 1, 1]);
  await t.minictr(["rm", "-f", "one", "two"]);
});
