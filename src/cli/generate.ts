import { pick } from "../container/find.ts";
import { type Known, knownContainers } from "../container/list.ts";
import { rootsBelow } from "../container/mod.ts";
import { lastingCommand } from "../container/self.ts";
import { type Grammar, parseCommandLine, wrongUse } from "./grammar.ts";
import { helped } from "./lifecycle.ts";

/** `generate` */
export const GENERATE: Grammar = {
  command: "generate",
  operands: "systemd [CONTAINER]",
  summary: "Print a systemd unit that starts containers at boot",
  examples: [
    [
      "minictr generate systemd > /etc/systemd/system/minictr.service",
      "all whose restart policy says so",
    ],
    ["minictr generate systemd web > /etc/systemd/system/web.service", "one container"],
  ],
  groups: [],
};

/** `minictr generate systemd [CONTAINER]` */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const { operands, help } = parseCommandLine(GENERATE, args);
  if (helped(GENERATE, help)) return await Promise.resolve(0);
  const [kind, name, ...more] = operands;
  if (kind !== "systemd" || more.length > 0) {
    throw wrongUse(GENERATE, '"generate" makes "systemd", of all containers or of one');
  }
  const roots = rootsBelow(root);
  const command = (...words: string[]) => lastingCommand(roots, words).map(quoted).join(" ");
  if (name === undefined) console.log(unitOfAll(command("start", "--all-restartable")));
  else {
    const known = pick(knownContainers(roots), name);
    console.log(unitOfOne(known, command));
  }
  return 0;
}

function unitOfAll(start: string): string {
  return unit("Containers of minictr that are to run", [`ExecStart=${start}`]);
}

function unitOfOne(
  { id, name, definition }: Known,
  command: (...words: string[]) => string,
): string {
  const timeoutSeconds = Math.ceil((definition?.stopTimeoutMs ?? 10_000) / 1000) + 10;
  return unit(`Container ${name.replaceAll("%", "%%")}`, [
    `TimeoutStopSec=${timeoutSeconds}`,
    `ExecStart=${command("start", id)}`,
    `ExecStop=${command("stop", id)}`,
  ]);
}

/** One shot: the supervisors go on by themselves, and are none of systemd's processes. */
function unit(description: string, service: string[]): string {
  return `[Unit]
Description=${description}
Documentation=man:minictr-start(1)
Wants=network-online.target
After=network-online.target local-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=none
${service.join("\n")}

[Install]
WantedBy=multi-user.target`;
}

/** As a word of ExecStart=; systemd.service(5), "Command lines". */
function quoted(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(escaped)
    ? escaped
    : `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
