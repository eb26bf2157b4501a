import { pick } from "../container/find.ts";
import { knownContainers } from "../container/list.ts";
import { rootsBelow } from "../container/state.ts";
import { allLeases } from "../network/mod.ts";
import { parseCommandLine, wrongUse } from "./grammar.ts";
import { helpText } from "./help.ts";
import { plain } from "./lifecycle_flags.ts";

/** `minictr port`: what is published of a container, one port a line, as docker prints it. */
export function run(args: string[], root: string | undefined): Promise<number> {
  const grammar = plain(
    "port",
    "Print the published ports of a container",
    "80/tcp -> 0.0.0.0:8080",
  );
  const { operands: [name], help } = parseCommandLine(grammar, args);
  if (help) {
    console.log(helpText(grammar));
    return Promise.resolve(0);
  }
  if (name === undefined) throw wrongUse(grammar, '"port" needs a container');
  const roots = rootsBelow(root);
  const { id } = pick(knownContainers(roots), name);
  for (const { container, ports } of allLeases(roots)) {
    if (container !== id) continue;
    for (const { hostIp, host, container: inside, count, protocol } of ports) {
      for (let at = 0; at < count; at++) {
        console.log(`${inside + at}/${protocol} -> ${hostIp ?? "0.0.0.0"}:${host + at}`);
      }
    }
  }
  return Promise.resolve(0);
}
