/**
 * What the benchmark works on: a root filesystem, and a bundle that means the same to every runtime.
 */
import { ROOT } from "../tools/source.ts";
import type { Bench } from "./contenders.ts";
import { denoRun } from "./contenders.ts";

const APPLETS = ["true", "sh", "sleep", "echo"];

/** Makes everything in a scratch directory, and dist/ if it is missing. */
export async function makePlaces(): Promise<Bench> {
  const scratch = await Deno.makeTempDir({ prefix: "minictr-bench-" });
  const [rootfs, bundle] = [`${scratch}/rootfs`, `${scratch}/bundle`];
  for (const name of ["bin", "dev", "etc", "proc", "root", "sys", "tmp"]) {
    await Deno.mkdir(`${rootfs}/${name}`, { recursive: true });
  }
  await Deno.copyFile("/bin/busybox", `${rootfs}/bin/busybox`);
  for (const applet of APPLETS) await Deno.symlink("busybox", `${rootfs}/bin/${applet}`);
  await Deno.writeTextFile(`${scratch}/nothing.js`, "");
  await Deno.mkdir(bundle);
  if (!exists(`${ROOT}dist/minictr`)) build();
  const flags = ["run", "--print-spec", "--network", "none", "--rootfs", rootfs, "/bin/true"];
  const spec = JSON.parse(output([...denoRun(`${ROOT}dist/minictr.js`), ...flags]));
  await Deno.writeTextFile(`${bundle}/config.json`, JSON.stringify(common(spec), null, 2));
  return { scratch, rootfs, bundle, project: ROOT };
}

/** With the checkout's deno.json, which names what the build imports. */
function build(): void {
  const config = ["--config", `${ROOT}deno.json`, "--no-lock"];
  output([Deno.execPath(), "run", "-A", "--quiet", ...config, `${ROOT}tools/build.ts`]);
}

interface SomeSpec {
  ociVersion: string;
  mounts: { destination: string }[];
  linux: { cgroupsPath?: string };
}

/** The part of minictr's spec that every runtime carries out: without the files it makes in /etc. */
function common(spec: SomeSpec): SomeSpec {
  const { cgroupsPath: _, ...linux } = spec.linux;
  const mounts = spec.mounts.filter(({ destination }) => !destination.startsWith("/etc/"));
  return { ...spec, ociVersion: "1.0.2", mounts, linux };
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function output([command = "", ...args]: string[]): string {
  const { success, stdout } = new Deno.Command(command, { args, stderr: "inherit" }).outputSync();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}
