import assert from "assert";
import { detached, fails, ok, until } from "./support/background.ts";
import { IN_VM, type Scratch, test } from "./support/mod.ts";

const NEEDS = { requires: ["root", "command:busybox"], timeoutMs: 90_000 } as const;
/** Of many commands, each of which takes seconds in the virtual machine. */
const MANY = { ...NEEDS, requires: [...NEEDS.requires, "not-vm"] } as const;
const AT_ONCE = IN_VM ? 4 : 10;

/** What is below the run root, but for the journal. */
function files(t: Scratch, path = ""): string[] {
  return [...Deno.readDirSync(`${t.root}/${path}`)].flatMap(({ name, isDirectory }) =>
    isDirectory ? files(t, `${path}/${name}`) : [`${path}/${name}`]
  ).filter((file) => !file.includes("/rootfs/") && !file.includes("/run/events"));
}

test("of several containers with one name that are started at once, one is", NEEDS, async (t) => {
  const detach = ["run", "-d", "--name", "one", "--network", "none"];
  const words = [...detach, "--rootfs", `${t.rootfs}:O`, "sleep", "1000"];
  const ended = await Promise.all(Array.from({ length: AT_ONCE }, () => t.minictr(words)));
  assert.deepEqual(ended.map(({ code }) => code).sort(), [0, ...Array(AT_ONCE - 1).fill(125)]);
  const id = ended.find(({ code }) => code === 0)?.out.trim() ?? "";
  for (const { code, out, err } of ended) {
    if (code === 0) continue;
    assert.equal(out, "");
    assert.match(
      err,
      new RegExp(`^minictr: .*name "one" is already in use by container ${id.slice(0, 12)}`),
    );
  }
  assert.equal(await ok(t, "ps", "-aq", "--no-trunc"), `${id}\n`);
  await ok(t, "rm", "-f", "one");
  assert.deepEqual(files(t), []);
});

test(
  "containers in the foreground and the background, made and renamed, share their names",
  MANY,
  async (t) => {
    const always = ["--name", "one", "--network", "none", "--rootfs", `${t.rootfs}:O`];
    const cidfile = `${t.directory}/cid`;
    await detached(t, ["--name", "other"], ["sleep", "1000"]);
    const ended = await Promise.all([
      t.minictr(["run", "--rm", ...always, "sleep", "2"]),
      t.minictr(["create", ...always, "true"]),
      t.minictr(["run", "-d", ...always, "sleep", "1000"]),
      t.minictr(["rename", "other", "one"]),
    ]);
    assert.equal(ended.filter(({ code }) => code === 0).length, 1, JSON.stringify(ended));
    for (const { code, err } of ended) if (code !== 0) assert.match(err, /"one" is already in use/);
    if (ended[0]?.code === 0) await ok(t, "rename", "other", "one");
    const refused = await fails(t, 125, "run", "--rm", "--cidfile", cidfile, ...always, "true");
    assert.match(refused, /already in use/);
    assert.throws(() => Deno.statSync(cidfile), Deno.errors.NotFound);
    const all = (await ok(t, "ps", "-aq")).trim().split("\n");
    await ok(t, "rm", "-f", ...all);
    assert.deepEqual(files(t), []);
  },
);

test("the name of a container whose minictr was killed is free", MANY, async (t) => {
  const words = ["run", "--rm", "--name", "one", "--network", "none", "--rootfs", t.rootfs];
  {
    await using killed = t.startMinictr([...words, "sleep", "1000"]);
    await until(() => t.minictr(["ps", "-q"]), ({ out }) => out !== "");
    killed.kill("SIGKILL");
    await killed.ended;
  }
  const ended = await Promise.all(
    Array.from({ length: 3 }, () => t.minictr([...words, "sleep", "2"])),
  );
  assert.deepEqual(ended.map(({ code }) => code).sort(), [0, 125, 125], JSON.stringify(ended));
  assert.deepEqual(files(t), []);
});

test("a name that a killed command held is free at once", MANY, async (t) => {
  // As if it had been killed between taking the name and writing its container down.
  Deno.mkdirSync(`${t.root}/run/names`, { recursive: true });
  Deno.writeTextFileSync(`${t.root}/run/names/one`, "");
  await detached(t, ["--name", "one"], ["true"]);
  await ok(t, "rm", "-f", "one");
  assert.deepEqual(files(t), []);
});
