import assert from "assert";
import fc from "fast-check";
import {
  checkOptions,
  createVolume,
  dataOf,
  holdVolume,
  isAnonymous,
  isVolumeName,
  listVolumes,
  mountOf,
  nameOfData,
  readVolume,
  removeVolume,
  VolumeError,
} from "./mod.ts";

function inRoot(act: (root: string) => void): void {
  const root = Deno.makeTempDirSync({ prefix: "minictr-volume-" });
  try {
    act(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("a volume that is created twice is the same, unless its options are others", () => {
  inRoot((root) => {
    const first = createVolume(root, { name: "db", labels: { a: "1" } });
    assert.deepEqual(createVolume(root, { name: "db" }), first);
    assert.throws(
      () => createVolume(root, { name: "db", options: { type: "tmpfs", device: "tmpfs" } }),
      /"db" is there already, with other options/,
    );
    assert.equal(isAnonymous(first), false);
    assert.equal(isAnonymous(createVolume(root)), true);
    assert.equal(Deno.statSync(`${root}/volumes`).mode! & 0o777, 0o700);
    assert.equal(Deno.statSync(dataOf(root, "db")).mode! & 0o777, 0o755);
    assert.equal(nameOfData(root, dataOf(root, "db")), "db");
    assert.equal(nameOfData(root, "/elsewhere/volumes/db/_data"), undefined);
  });
});

Deno.test("what interrupted commands have left is removed, and no volume", () => {
  inRoot((root) => {
    createVolume(root, { name: "db" });
    for (const name of [".new-1", ".removing-1"]) {
      Deno.mkdirSync(`${root}/volumes/${name}/_data`, { recursive: true });
      Deno.writeTextFileSync(`${root}/volumes/${name}/lock`, "");
    }
    assert.deepEqual(listVolumes(root).map(({ name }) => name), ["db"]);
    assert.deepEqual(Array.from(Deno.readDirSync(`${root}/volumes`), ({ name }) => name), ["db"]);
  });
});

Deno.test("a volume with users, or held by another command, is not removed", () => {
  inRoot((root) => {
    createVolume(root, { name: "db" });
    assert.throws(() => removeVolume(root, "db", () => ["web", "api"]), /in use by "web", "api"/);
    {
      using _ = holdVolume(root, "db");
      assert.throws(() => removeVolume(root, "db", () => []), /in use by another command/);
    }
    removeVolume(root, "db", () => []);
    assert.equal(readVolume(root, "db"), undefined);
    assert.throws(() => holdVolume(root, "db"), VolumeError);
    assert.throws(() => removeVolume(root, "db", () => []), /there is no volume "db"/);
  });
});

Deno.test("no name of a volume leads out of the store", () => {
  fc.assert(fc.property(fc.string(), (name) => {
    if (!isVolumeName(name)) return;
    assert.ok(!name.includes("/") && !name.startsWith(".") && name.length >= 2, name);
  }));
  for (const name of ["..", ".", "a/b", "", "a", ".new-x"]) assert.equal(isVolumeName(name), false);
});

Deno.test("options become a mount, and what is lacking is told", () => {
  assert.equal(mountOf({}), undefined);
  assert.deepEqual(mountOf({ type: "nfs", device: ":/x", o: "addr=1.2.3.4,ro" }), {
    type: "nfs",
    source: ":/x",
    options: ["addr=1.2.3.4", "ro"],
  });
  assert.deepEqual(mountOf({ type: "none", device: "/srv", o: "rw,rbind" }), {
    type: "bind",
    source: "/srv",
    options: ["rbind", "rw"],
  });
  assert.throws(() => checkOptions({ type: "nfs" }), /needs "device"/);
  assert.throws(() => checkOptions({ size: "1m" }), /no option "size"/);
  assert.throws(() => checkOptions({ o: "bind", device: "srv" }), /not an absolute path/);
});
