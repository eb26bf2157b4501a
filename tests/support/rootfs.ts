/**
 * The root file system that tests run containers in: a static busybox, its applets, and /bin/probe.
 */
import { RUN_DIRECTORY } from "./run.ts";

const ETC: Record<string, string> = {
  passwd: "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n",
  group: "root:x:0:\nusers:x:100:alice\nalice:x:1000:\naudio:x:29:alice\n",
};

/** The directory, made once for a run of the suite; needs `command:busybox` (a static one). */
export function testRootfs(): string {
  const rootfs = `${RUN_DIRECTORY}/rootfs`;
  if (isDirectory(rootfs)) return rootfs;
  Deno.mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o755 });
  const unfinished = Deno.makeTempDirSync({ dir: RUN_DIRECTORY, prefix: "rootfs-" });
  fill(unfinished);
  try {
    Deno.renameSync(unfinished, rootfs);
  } catch (cause) {
    if (!isDirectory(rootfs)) throw cause;
    Deno.removeSync(unfinished, { recursive: true }); // Another test file was first.
  }
  return rootfs;
}

function fill(rootfs: string): void {
  Deno.chmodSync(rootfs, 0o755);
  for (const name of ["bin", "dev", "etc", "home/alice", "proc", "root", "sys", "tmp"]) {
    Deno.mkdirSync(`${rootfs}/${name}`, { recursive: true });
  }
  Deno.chmodSync(`${rootfs}/tmp`, 0o1777);
  const busybox = staticBusybox();
  Deno.copyFileSync(busybox, `${rootfs}/bin/busybox`);
  Deno.chmodSync(`${rootfs}/bin/busybox`, 0o755);
  const { stdout } = new Deno.Command(busybox, { args: ["--list"] }).outputSync();
  for (const applet of new TextDecoder().decode(stdout).trim().split("\n")) {
    if (applet !== "busybox") Deno.symlinkSync("busybox", `${rootfs}/bin/${applet}`);
  }
  Deno.copyFileSync(new URL("probe.sh", import.meta.url), `${rootfs}/bin/probe`);
  Deno.chmodSync(`${rootfs}/bin/probe`, 0o755);
  for (const [name, text] of Object.entries(ETC)) {
    Deno.writeTextFileSync(`${rootfs}/etc/${name}`, text);
  }
}

/** @throws {Error} if there is none, or only one that needs libraries. */
function staticBusybox(): string {
  for (const path of ["/bin/busybox", "/usr/bin/busybox"]) {
    if (isStatic(path)) return path;
  }
  throw new Error("cannot find a static busybox: apt-get install busybox-static");
}

/** An ELF executable without a program header of type PT_INTERP (3); elf(5). */
function isStatic(path: string): boolean {
  try {
    const view = new DataView(Deno.readFileSync(path).buffer);
    const [table, size, count] = [
      Number(view.getBigUint64(32, true)),
      view.getUint16(54, true),
      view.getUint16(56, true),
    ];
    return Array.from({ length: count }, (_, i) => view.getUint32(table + i * size, true))
      .every((type) => type !== 3);
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
