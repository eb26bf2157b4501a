import type { RunSpec } from "./run_spec.ts";
import type { Spec } from "../spec/mod.ts";

/** A file that is made for one container, and bound into it. */
export interface GeneratedFile {
  path: string;
  content: string;
}

/**
 * /etc/hostname, /etc/hosts and /etc/resolv.conf of a container: made in its state directory, and
 * added to the mounts of the spec unless the user mounts something there.
 *
 * @param directory the container's state directory
 */
export function generatedFiles(spec: Spec, made: RunSpec, directory: string): GeneratedFile[] {
  const hostname = spec.hostname ?? "localhost";
  const contents: Record<string, string> = {
    hostname: `${hostname}\n`,
    hosts: hostsText(hostname, made.engine.addHosts),
    "resolv.conf": resolvText(made),
  };
  const taken = new Set(spec.mounts?.map(({ destination }) => destination));
  const files: GeneratedFile[] = [];
  for (const [name, content] of Object.entries(contents)) {
    const destination = `/etc/${name}`;
    if (taken.has(destination) || taken.has("/etc")) continue;
    const path = `${directory}/${name}`;
    files.push({ path, content });
    (spec.mounts ??= []).push({
      destination,
      type: "bind",
      source: path,
      options: ["rbind", "rprivate"],
    });
  }
  return files;
}

/** hosts(5): the loopback names, the container's own, and `--add-host`. */
function hostsText(hostname: string, added: readonly string[]): string {
  const lines = [
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost ip6-localhost ip6-loopback",
    `127.0.1.1\t${hostname}`,
  ];
  for (const pair of added) {
    const at = pair.search(/[:=]/);
    lines.push(`${pair.slice(at + 1)}\t${pair.slice(0, at)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** resolv.conf(5): the flags', or else the host's as it is. */
function resolvText({ engine }: RunSpec): string {
  const { dns, dnsSearch, dnsOptions } = engine;
  if (dns.length + dnsSearch.length + dnsOptions.length === 0) {
    try {
      return Deno.readTextFileSync("/etc/resolv.conf");
    } catch {
      return "";
    }
  }
  return [
    ...dns.map((server) => `nameserver ${server}\n`),
    ...dnsSearch.length > 0 ? [`search ${dnsSearch.join(" ")}\n`] : [],
    ...dnsOptions.length > 0 ? [`options ${dnsOptions.join(" ")}\n`] : [],
  ].join("");
}
