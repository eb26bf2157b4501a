import assert from "assert";
import { ContainerError, findContainer, findRunning } from "./find.ts";
import { readFilter, readOwnSpec, runningAs, writeSpec } from "./live.ts";
import { createState, type Roots, type State } from "./state.ts";

/** State directories of containers that were never made. */
async function within(
  states: Partial<State>[],
  body: (roots: Roots) => void | Promise<void>,
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  const roots = { run: `${directory}/run`, data: `${directory}/data` };
  const base = { version: 1 as const, name: "", created: "", cgroup: "/minictr/none" };
  try {
    for (const state of states) createState(roots, { ...base, id: "", ...state }).lock.close();
    await body(roots);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a name goes before the beginning of an id, and a whole id before a name", async () => {
  await within(
    [{ id: "abc1", name: "one" }, { id: "def2", name: "abc" }, { id: "one", name: "x" }],
    (roots) => {
      assert.equal(findContainer(roots, "abc").state.id, "def2");
      assert.equal(findContainer(roots, "one").state.id, "one");
      assert.equal(findContainer(roots, "ab").state.id, "abc1");
    },
  );
});

Deno.test("the beginning of several ids is refused with the ids that it begins", async () => {
  await within([{ id: "abc1" }, { id: "abd2" }, { id: "xyz" }], (roots) => {
    assert.throws(() => findContainer(roots, "ab"), {
      name: "ContainerError",
      message: /^"ab" begins the ids of 2 containers: (abc1, abd2|abd2, abc1)$/,
    });
    assert.equal(findContainer(roots, "abd").state.id, "abd2");
  });
});

Deno.test("no container is found by nothing, by a path, or where there is none", async () => {
  await within([{ id: "abc1" }], (roots) => {
    for (const name of ["", ".", "..", "../abc1", "abc12", "b"]) {
      assert.throws(() => findContainer(roots, name), ContainerError, name);
    }
    assert.throws(() => findContainer({ run: "/nowhere", data: "" }, "abc1"), ContainerError);
  });
});

Deno.test("a process that has the number of a container's, but is another, is not taken for it", async () => {
  const here = runningAs(Deno.pid);
  await within([
    { id: "same", ...here },
    { id: "later", ...here, startTime: here.startTime - 1 },
    { id: "before-reboot", ...here, bootId: "00000000-0000-0000-0000-000000000000" },
    { id: "starting" },
    { id: "gone", ...here, pid: 2 ** 22 + 1 },
  ], async (roots) => {
    assert.equal((await findRunning(roots, "same")).state.pid, Deno.pid);
    for (const id of ["later", "before-reboot", "gone"]) {
      await assert.rejects(findRunning(roots, id), { message: /does not run: it has ended/ }, id);
    }
    await assert.rejects(findRunning(roots, "starting"), { message: /is still being started/ });
  });
});

Deno.test("a zombie's container does not run", async () => {
  const child = new Deno.Command("sh", {
    args: ["-c", "sleep 0 & echo $!; exec sleep 5"],
    stdout: "piped",
  })
    .spawn();
  const reader = child.stdout.getReader();
  const zombie = Number(new TextDecoder().decode((await reader.read()).value));
  const deadline = performance.now() + 5000;
  while (!/\) Z /.test(Deno.readTextFileSync(`/proc/${zombie}/stat`))) {
    if (performance.now() > deadline) throw new Error("sleep 0 does not end");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await within([{ id: "zombie", ...runningAs(zombie) }], async (roots) => {
    await assert.rejects(findRunning(roots, "zombie"), { message: /has ended/ });
  });
  child.kill();
  await reader.cancel();
  await child.status;
});

Deno.test("a spec is read as it was written, numbers of 64 bits too", async () => {
  const directory = Deno.makeTempDirSync();
  const process = { cwd: "/", user: { uid: 0, gid: 0 }, args: ["true"] };
  const rlimits = [{ type: "RLIMIT_CORE", soft: 0, hard: 2n ** 64n - 1n }];
  for (
    const spec of [
      { ociVersion: "1.3.0", process },
      { ociVersion: "1.3.0", process: { ...process, rlimits } },
    ]
  ) {
    writeSpec(directory, spec, undefined);
    assert.deepEqual(await readOwnSpec(directory), spec);
  }
  Deno.removeSync(directory, { recursive: true });
  assert.equal(await readOwnSpec(directory), undefined);
});

Deno.test("a filter is read as it was written, with its flags", () => {
  const directory = Deno.makeTempDirSync();
  const process = { cwd: "/", user: { uid: 0, gid: 0 } };
  assert.equal(readFilter(directory), undefined);
  const seccomp = { filter: Uint8Array.of(10, 0, 13, 10), flags: { SECCOMP_FILTER_FLAG_LOG: 2 } };
  writeSpec(directory, { ociVersion: "1.3.0", process }, seccomp);
  assert.deepEqual(readFilter(directory), seccomp);
  Deno.removeSync(directory, { recursive: true });
});
