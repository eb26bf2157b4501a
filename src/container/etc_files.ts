import { hostsFile, isStub, resolvConf, UPLINK_RESOLV } from "../network/files.ts";
import type { Prepared } from "../network/mod.ts";

/** What /etc/hostname, /etc/hosts and /etc/resolv.conf of a container are made from. */
export interface EtcFiles {
  hostname: string;
  /** Which of them are made: those where nothing else is mounted. */
  made: ("hostname" | "hosts" | "resolv.conf")[];
  addHosts: readonly string[];
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
}

/**
 * Writes the files into a container's state directory, from where they are mounted.
 *
 * @param prepared the container's places on networks, and who else is there
 * @returns what the user should know
 */
export function writeEtcFiles(
  directory: string,
  wanted: EtcFiles,
  prepared: Prepared | undefined,
): string | undefined {
  const attachments = prepared?.attachments ?? [];
  const { text, notice } = resolv(wanted);
  const contents = {
    "hostname": () => `${wanted.hostname}\n`,
    "hosts": () =>
      hostsFile({
        hostname: wanted.hostname,
        addHosts: wanted.addHosts,
        networks: attachments.map(({ network }) => network),
        endpoints: attachments.map(({ endpoint }) => endpoint),
        siblings: prepared?.siblings ?? [],
      }),
    "resolv.conf": () => text,
  };
  for (const name of wanted.made) Deno.writeTextFileSync(`${directory}/${name}`, contents[name]());
  return notice;
}

function resolv({ dns, dnsSearch, dnsOptions }: EtcFiles): { text: string; notice?: string } {
  let hostText = readText("/etc/resolv.conf");
  if (isStub(hostText)) hostText = readText(UPLINK_RESOLV) || hostText;
  return resolvConf(hostText, { servers: dns, search: dnsSearch, options: dnsOptions });
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
