import assert from "assert";
import { AT_FDCWD, Fd, O_DIRECTORY, O_PATH, syscall } from "../../ffi/mod.ts";
import { createVolume, dataOf, fillVolume } from "./mod.ts";

const same = (id: number) => id;

async function withVolume(act: (root: string, image: Fd) => Promise<void>): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "minictr-fill-" });
  try {
    Deno.mkdirSync(`${root}/image/deep`, { recursive: true });
    Deno.writeTextFileSync(`${root}/image/deep/file`, "image");
    createVolume(root, { name: "db" });
    using image = new Fd(
      syscall("openat", AT_FDCWD, `${root}/image`, O_PATH | O_DIRECTORY, 0),
    );
    await act(root, image);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("a copy that was interrupted is begun again, and leaves nothing", async () => {
  await withVolume(async (root, from) => {
    Deno.mkdirSync(`${root}/volumes/db/.filling`);
    Deno.writeTextFileSync(`${root}/volumes/db/.filling/half`, "half");
    assert.equal(await fillVolume(root, "db", { from, shift: same, mounted: false }), true);
    assert.equal(Deno.readTextFileSync(`${dataOf(root, "db")}/deep/file`), "image");
    const names = Array.from(Deno.readDirSync(`${root}/volumes/db`), ({ name }) => name).sort();
    assert.deepEqual(names, ["_data", "lock", "volume.json"]);
    assert.deepEqual(Array.from(Deno.readDirSync(dataOf(root, "db")), ({ name }) => name), [
      "deep",
    ]);
  });
});

Deno.test("a volume with files is left as it is, and a mounted one stays the same directory", async () => {
  await withVolume(async (root, from) => {
    const { ino } = Deno.statSync(dataOf(root, "db"));
    assert.equal(await fillVolume(root, "db", { from, shift: same, mounted: true }), true);
    assert.equal(Deno.statSync(dataOf(root, "db")).ino, ino);
    Deno.writeTextFileSync(`${dataOf(root, "db")}/deep/file`, "changed");
    assert.equal(await fillVolume(root, "db", { from, shift: same, mounted: false }), false);
    assert.equal(Deno.readTextFileSync(`${dataOf(root, "db")}/deep/file`), "changed");
  });
});
