import assert from "assert";
import {
  directory,
  FILE,
  file,
  hard,
  link,
  Place,
  type Short,
} from "../../tests/support/archive.ts";
import { fromText } from "./bytes.ts";
import { extractTar } from "./extract.ts";
import { tarHeader } from "./tar_write.ts";
import { xattrsOf } from "./xattr.ts";

Deno.test("extractTar() keeps content, permissions, times, links and empty directories", async () => {
  using place = new Place();
  const root = Deno.uid() === 0;
  const owner = root ? { uid: 1234, gid: 5678 } : {};
  const result = await place.unpack([
    directory("./", 0o750),
    directory("d", 0o1777),
    file("d/setuid", "x", { mode: 0o4755, ...owner }),
    hard("d/same", "./d/setuid"),
    link("l", "/d/setuid"),
    { name: "p", type: "fifo", mode: 0o600 },
    directory("empty", 0o500),
    file("made/on/the/way"),
  ]);
  assert.deepEqual(result, { entries: 8, contentBytes: 17, skippedDevices: 0 });
  const setuid = Deno.lstatSync(`${place.tree}/d/setuid`);
  assert.equal((setuid.mode ?? 0) & 0o7777, 0o4755);
  if (root) assert.deepEqual([setuid.uid, setuid.gid], [1234, 5678]);
  assert.equal(setuid.mtime?.getTime(), 1_700_000_000_000);
  assert.equal(setuid.ino, Deno.lstatSync(`${place.tree}/d/same`).ino);
  assert.equal(Deno.readLinkSync(`${place.tree}/l`), "/d/setuid");
  assert.ok(Deno.lstatSync(`${place.tree}/p`).isFifo);
  for (
    const [name, mode] of [["", 0o750], ["d", 0o1777], ["empty", 0o500], ["made", 0o755]] as const
  ) {
    assert.equal((Deno.statSync(`${place.tree}/${name}`).mode ?? 0) & 0o7777, mode, name);
  }
  assert.equal(Deno.statSync(`${place.tree}/d`).mtime?.getTime(), 1_700_000_000_000);
});

Deno.test("extractTar() follows an absolute link as the container would", async () => {
  using place = new Place();
  await place.unpack([directory("run"), link("var/run", "/run"), file("var/run/pid")]);
  assert.equal(place.text("run/pid"), "from the archive");
});

Deno.test("extractTar() writes through a link, or beside it, as the entries before have left it", async () => {
  using place = new Place();
  await place.unpack([
    ...["one", "two"].map((name) => directory(name)),
    link("l", "/one"),
    file("l/1"),
    link("l", "/two"),
    file("l/2"),
    directory("l"),
    file("l/3"),
    { ...directory("e"), mtimeSeconds: 1 },
    link("e", "/two"),
  ]);
  for (const name of ["one/1", "two/2", "l/3"]) assert.equal(place.text(name), "from the archive");
  assert.equal(Deno.statSync(`${place.tree}/two`).mtime?.getTime(), 1_700_000_000_000);
});

Deno.test("extractTar() gives up at its size before the disk is full", async () => {
  using place = new Place();
  const bomb = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(tarHeader({ ...FILE, sizeBytes: 8 * 2 ** 30 }));
    },
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
  });
  await assert.rejects(
    extractTar(bomb, place.tree, { limitBytes: 1 << 20 }),
    /larger than 1048576 bytes/,
  );
  assert.ok(Deno.statSync(`${place.tree}/f`).size <= 1 << 20);
});

Deno.test("extractTar() leaves devices out unless they are allowed, and whiteouts always", async () => {
  const device = (name: string, deviceMajor: number, deviceMinor: number): Short => ({
    name,
    type: "character-device",
    deviceMajor,
    deviceMinor,
  });
  const entries = [device("null", 1, 3), device("whiteout", 0, 0), file("f")];
  using without = new Place();
  assert.equal((await without.unpack(entries)).skippedDevices, 2);
  assert.deepEqual([...Deno.readDirSync(without.tree)].map(({ name }) => name), ["f"]);
  if (Deno.uid() !== 0) return;
  using place = new Place();
  assert.equal((await place.unpack(entries, { devices: true })).skippedDevices, 1);
  assert.equal(Deno.lstatSync(`${place.tree}/null`).rdev, 0x103);
});

Deno.test({
  name:
    "extractTar() keeps file capabilities and drops attributes of overlayfs and the host's policy" +
    (Deno.uid() === 0 ? "" : " (skipped: not running as root)"),
  ignore: Deno.uid() !== 0,
  async fn() {
    using place = new Place();
    // cap_net_raw,cap_setpcap,cap_setgid=ep: a byte of it is no UTF-8.
    const capability = new Uint8Array([1, 0, 0, 2, 0xc0, 0x21, ...Array(14).fill(0)]);
    const value = new Uint8Array([121]);
    const xattrs = new Map([
      ["security.capability", capability],
      ["trusted.overlay.redirect", value],
      ["user.overlay.opaque", value],
      ["security.selinux", value],
    ]);
    await place.unpack([file("ping", "x", { xattrs, uid: 1, mode: 0o755 })]);
    assert.deepEqual(
      xattrsOf(`${place.tree}/ping`),
      new Map([["security.capability", capability]]),
    );
  },
});

Deno.test("extractTar() keeps names that are no UTF-8", async () => {
  using place = new Place();
  await place.unpack([file("caf\xe9"), file(fromText("naïve"))]);
  const { stdout } = new Deno.Command("ls", { args: ["-b", place.tree], env: { LC_ALL: "C" } })
    .outputSync();
  assert.equal(new TextDecoder().decode(stdout), "caf\\351\nna\\303\\257ve\n");
});

Deno.test("extractTar() refuses an archive without entries", async () => {
  using place = new Place();
  await assert.rejects(place.unpack([]), /without entries/);
});
