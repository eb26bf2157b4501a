import assert from "assert";
import { shows } from "./usage.ts";

const OVERLAY =
  "36 35 0:52 / / rw,relatime - overlay overlay rw,lowerdir=/a:/d/x/rootfs,upperdir=/u";

Deno.test("shows() finds a directory among overlayfs's lower ones, and no longer path", () => {
  assert.ok(shows(OVERLAY, "/d/x/rootfs", 0));
  assert.ok(
    shows("1 1 0:1 / / rw - overlay o rw,lowerdir+=/d/x/rootfs,lowerdir+=/b", "/d/x/rootfs", 0),
  );
  assert.ok(!shows(OVERLAY, "/d/x/root", 0));
  assert.ok(!shows(OVERLAY, "/u", 0));
});

Deno.test("shows() finds a bind mount by its device and its path in there", () => {
  const line = "36 35 8:3 /x/rootfs /mnt rw - ext4 /dev/sda3 rw";
  assert.ok(shows(line, "/data/x/rootfs", 0x803));
  assert.ok(!shows(line, "/data/x/rootfs", 0x804));
  assert.ok(!shows("36 35 8:3 / /mnt rw - ext4 /dev/sda3 rw", "/data/x/rootfs", 0x803));
});

Deno.test("shows() reads mountinfo's octal escapes", () => {
  const line = "1 1 0:1 / / rw - overlay o rw,lowerdir=/my\\040data/r";
  assert.ok(shows(line, "/my data/r", 0));
});
