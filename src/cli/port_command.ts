import { ContainerError, pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { rootsBelow } from "../container/state.ts";
import { allLeases } from "../network/mod.ts";
import { type Grammar, parseCommandLine, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";

/** `port` */
export const PORT = {
  command: "port",
  operands: "CONTAINER [PORT[/PROTO]]",
  summary: "Print the published ports of a container",
  examples: [
    ["minictr port web", "80/tcp -> 0.0.0.0:8080"],
    ["minictr port web 80", "0.0.0.0:8080"],
  ],
  groups: [],
} as const satisfies Grammar;

/** `minictr port`: what is published of a container, one port a line, as docker prints it. */
export function run(args: string[], root: string | undefined): Promise<number> {
  const { operands: [name, wanted], help } = parseCommandLine(PORT, args);
  if (help) {
    console.log(helpText(PORT));
    return Promise.resolve(0);
  }
  if (name === undefined) throw wrongUse(PORT, '"port" needs a container');
  const only = wanted === undefined || wanted.includes("/") ? wanted : `${wanted}/tcp`;
  if (only !== undefined && !/^\d+\/(tcp|udp|sctp)$/.test(only)) {
    throw wrongUse(PORT, `"${wanted}" is not PORT[/PROTO]`);
  }
  const roots = rootsBelow(root);
  const { id } = pick(knownContainers(roots), name);
  const lines: string[] = [];
  for (const { container, ports } of allLeases(roots)) {
    if (container !== id) continue;
    for (const { hostIp = "0.0.0.0", host, container: inside, count, protocol } of ports) {
      for (let at = 0; at < count; at++) {
        const [port, address] = [`${inside + at}/${protocol}`, `${hostIp}:${host + at}`];
        if (only === undefined) lines.push(`${port} -> ${address}`);
        else if (only === port) lines.push(address);
      }
    }
  }
  if (only !== undefined && lines.length === 0) {
    throw new ContainerError(`container "${name}" does not publish ${only}`);
  }
  if (lines.length > 0) console.log(lines.join("\n"));
  return Promise.resolve(0);
}
