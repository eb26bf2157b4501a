import assert from "assert";
import { builtinRootfs, isRootfsName, storedRootfs } from "./builtin.ts";
import { addRootfs, type Built, listRootfs, removeRootfs, StoreError } from "./store.ts";

const BUILT: Built = { recipe: "test", source: "here" };

function filled(text: string): (tree: string) => Promise<Built> {
  return (tree) => {
    Deno.writeTextFileSync(`${tree}/file`, text);
    Deno.linkSync(`${tree}/file`, `${tree}/same`);
    return Promise.resolve(BUILT);
  };
}

/** A data root of the test's own. */
async function withStore(body: (dataRoot: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "minictr-store-" });
  try {
    await body(`${directory}/data`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const text = (dataRoot: string, name: string) =>
  Deno.readTextFileSync(`${storedRootfs(dataRoot, name)}/file`);

const names = (dataRoot: string) =>
  [...Deno.readDirSync(`${dataRoot}/rootfs`)].map(({ name }) => name);

Deno.test("addRootfs() puts a root with its size into a store that is closed to others", () =>
  withStore(async (dataRoot) => {
    assert.equal(builtinRootfs(dataRoot), undefined);
    const meta = await addRootfs(dataRoot, "builtin", filled("12345"));
    assert.deepEqual([meta.sizeBytes, meta.files, meta.name], [5, 2, "builtin"]);
    assert.equal(builtinRootfs(dataRoot), `${dataRoot}/rootfs/builtin/rootfs`);
    for (const directory of [dataRoot, `${dataRoot}/rootfs`, `${dataRoot}/rootfs/builtin`]) {
      assert.equal((Deno.statSync(directory).mode ?? 0) & 0o777, 0o700, directory);
    }
    assert.deepEqual(names(dataRoot).sort(), [".lock", "builtin"]);
  }));

Deno.test("addRootfs() keeps what the first of two builders made", () =>
  withStore(async (dataRoot) => {
    const slow = Promise.withResolvers<void>();
    const second = addRootfs(dataRoot, "r", async (tree) => {
      await slow.promise;
      return await filled("second")(tree);
    });
    await addRootfs(dataRoot, "r", filled("first"));
    slow.resolve();
    await second;
    assert.equal(text(dataRoot, "r"), "first");
    assert.deepEqual(names(dataRoot).sort(), [".lock", "r"]);
  }));

Deno.test("addRootfs() takes the place of another only when it is told to", () =>
  withStore(async (dataRoot) => {
    await addRootfs(dataRoot, "r", filled("1"));
    await addRootfs(dataRoot, "r", filled("22"));
    assert.equal(text(dataRoot, "r"), "1");
    const meta = await addRootfs(dataRoot, "r", filled("333"), { replace: true });
    assert.equal(text(dataRoot, "r"), "333");
    assert.equal(meta.sizeBytes, 3);
  }));

Deno.test("addRootfs() leaves nothing of a build that fails", () =>
  withStore(async (dataRoot) => {
    const failing = (tree: string) => {
      Deno.writeTextFileSync(`${tree}/half`, "");
      return Promise.reject(new Error("no more"));
    };
    await assert.rejects(addRootfs(dataRoot, "r", failing), /no more/);
    assert.deepEqual(names(dataRoot), [".lock"]);
    assert.deepEqual(listRootfs(dataRoot), []);
  }));

Deno.test("listRootfs() removes what a killed builder has left, and nothing that is being built", () =>
  withStore(async (dataRoot) => {
    const slow = Promise.withResolvers<void>();
    const building = addRootfs(dataRoot, "slow", async (tree) => {
      await slow.promise;
      return await filled("slow")(tree);
    });
    while (!names(dataRoot).some((name) => name.startsWith(".building-"))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const killed = await killedBuilder(dataRoot);
    Deno.mkdirSync(`${dataRoot}/rootfs/.removing-x/rootfs`, { recursive: true });
    assert.ok(names(dataRoot).includes(killed));
    listRootfs(dataRoot);
    const left = names(dataRoot);
    assert.ok(!left.includes(killed) && !left.includes(".removing-x"));
    slow.resolve();
    await building;
    assert.equal(text(dataRoot, "slow"), "slow");
  }));

/** Starts a build in a process of its own and kills that; returns the directory it leaves. */
async function killedBuilder(dataRoot: string): Promise<string> {
  const before = names(dataRoot);
  const store = new URL("./store.ts", import.meta.url).href;
  const script = `const { addRootfs } = await import(${JSON.stringify(store)});
    await addRootfs(${JSON.stringify(dataRoot)}, "killed", () => {
      console.log("building");
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", script],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  const left = names(dataRoot).find((name) => !before.includes(name));
  assert.ok(left !== undefined && left.startsWith(".building-"));
  return left;
}

Deno.test("removeRootfs() removes a root, and names one that is not there", () =>
  withStore(async (dataRoot) => {
    await addRootfs(dataRoot, "r", filled("1"));
    removeRootfs(dataRoot, "r");
    assert.equal(storedRootfs(dataRoot, "r"), undefined);
    assert.deepEqual(names(dataRoot), [".lock"]);
    assert.throws(() => removeRootfs(dataRoot, "r"), StoreError);
  }));

Deno.test("isRootfsName() takes no name that is a path, hidden, or empty", () => {
  for (const name of ["a", "alpine-3.20", "A_b.c", "0"]) assert.ok(isRootfsName(name));
  for (
    const name of ["", ".", "..", ".lock", "a/b", "../a", "-a", "a b", "ä", "a\n", "x".repeat(129)]
  ) {
    assert.ok(!isRootfsName(name), name);
  }
});

Deno.test("addRootfs() and removeRootfs() refuse a name that leads elsewhere", () =>
  withStore(async (dataRoot) => {
    await assert.rejects(addRootfs(dataRoot, "../x", filled("")), StoreError);
    assert.throws(() => removeRootfs(dataRoot, ".."), StoreError);
  }));
