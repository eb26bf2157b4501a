/**
 * The root filesystem that is shipped with the program: busybox of the target, by the recipe that
 * users have too, packed so that the same busybox gives the same bytes.
 */
import { busybox } from "../../rootfs/busybox.ts";
import { packTree } from "../../rootfs/mod.ts";
import { output, type Target, TARGETS } from "./target.ts";

/** How it is made. */
export interface RootOptions {
  target: Target;
  /** A static busybox of the target; otherwise the host's, or Debian's package. */
  busybox: string | undefined;
  /** A directory for what lies about meanwhile. */
  scratch: string;
}

/**
 * Writes the packed root filesystem to `archive`.
 *
 * @returns the version of its busybox
 * @throws {RecipeError} when there is no busybox
 */
export async function packRoot(archive: string, options: RootOptions): Promise<string> {
  const { target, scratch } = options;
  const isForeign = target !== Deno.build.arch;
  const given = options.busybox ?? (isForeign ? await foreignBusybox(target, scratch) : undefined);
  const tree = `${scratch}/rootfs`;
  await Deno.mkdir(tree, { mode: 0o755 });
  await Deno.chmod(tree, 0o755);
  await busybox(tree, {
    architecture: target,
    ...(given === undefined ? {} : { busybox: given }),
    ...(isForeign ? { emulator: [TARGETS[target].emulator] } : {}),
  }, () => {});
  await packTree(tree, archive, { latestSeconds: 0, rootOwns: true });
  const release = await Deno.readTextFile(`${tree}/etc/os-release`);
  return /^VERSION_ID="(.*)"$/m.exec(release)?.[1] ?? "unknown";
}

/** Debian's package for another machine, by an apt that has lists of its own: the host's stay. */
async function foreignBusybox(target: Target, scratch: string): Promise<string> {
  const { debian } = TARGETS[target];
  const apt = `${scratch}/apt`;
  for (const path of ["lists/partial", "cache/archives/partial", "root"]) {
    await Deno.mkdir(`${apt}/${path}`, { recursive: true });
  }
  await Deno.writeTextFile(`${apt}/status`, "");
  const settings = [
    `APT::Architecture=${debian}`,
    `APT::Architectures::=${debian}`,
    `Dir::State::lists=${apt}/lists`,
    `Dir::State::status=${apt}/status`,
    `Dir::Cache=${apt}/cache`,
    "APT::Sandbox::User=root",
  ].flatMap((setting) => ["-o", setting]);
  await output(["apt-get", "-qq", ...settings, "update"], apt);
  await output(["apt-get", "-qq", ...settings, "download", "busybox-static"], apt);
  const deb = Array.from(Deno.readDirSync(apt)).find(({ name }) => name.endsWith(".deb"))?.name;
  if (deb === undefined) throw new Error(`apt-get has downloaded no busybox for ${target}`);
  await output(["dpkg-deb", "-x", deb, "root"], apt);
  return `${apt}/root/bin/busybox`;
}
