import type { Process, User } from "../spec/mod.ts";
import type { EXEC } from "./exec_flags.ts";
import { type CommandLine, cut, parsed } from "./grammar.ts";
import { type Lookup, parsePairs, setVariable } from "./pair.ts";
import { UsageError } from "./usage_error.ts";

/** What flags of `exec` ask of this host and of the container, each only when a flag asks. */
export interface ExecContext {
  /** The caller's environment. */
  env: Lookup;
  readFile(path: string): Uint8Array;
  /** Who a user is in the container, and where that user lives. */
  user(text: string, base: User): Promise<{ user: User; home: string }>;
  /** A set of capabilities with names added and dropped. */
  capabilities(
    base: readonly string[],
    change: { add: readonly string[]; drop: readonly string[]; privileged: boolean },
  ): Promise<string[]>;
}

type Line = CommandLine<typeof EXEC>;

/**
 * The process that a command line of `exec` asks for: the container's own, but for what is said.
 *
 * @throws {UsageError} that names the flag which is wrong
 */
export async function execProcess(
  own: Process,
  { flags, operands }: Line,
  context: ExecContext,
): Promise<Process> {
  const { consoleSize: _, ...rest } = own;
  const process: Process = { ...rest, args: operands.slice(1), terminal: flags.tty };
  if (flags.workdir !== undefined) {
    if (!flags.workdir.startsWith("/")) {
      throw new UsageError(`--workdir: "${flags.workdir}" is not an absolute path`);
    }
    process.cwd = flags.workdir;
  }
  const variables = new Map((own.env ?? []).map((variable) => [cut(variable)[0], variable]));
  if (flags.tty && !variables.has("TERM")) variables.set("TERM", "TERM=xterm");
  if (flags.user !== undefined) await become(process, variables, flags.user, context);
  setVariables(variables, flags, context);
  process.env = [...variables.values()];
  const change = { add: flags["cap-add"], drop: flags["cap-drop"], privileged: flags.privileged };
  if (change.add.length > 0 || change.drop.length > 0 || change.privileged) {
    const names = await context.capabilities(own.capabilities?.bounding ?? [], change);
    // Neither inheritable nor ambient, as in a container's own process (CVE-2022-29162).
    process.capabilities = { bounding: names, effective: [...names], permitted: [...names] };
  }
  return process;
}

/** Another user has another home, unless the container was given a HOME that is nobody's own. */
async function become(
  process: Process,
  variables: Map<string, string>,
  text: string,
  context: ExecContext,
): Promise<void> {
  const { umask } = process.user;
  const before = await context.user(`${process.user.uid}`, { uid: 0, gid: 0 });
  const { user, home } = await context.user(text, { uid: process.user.uid, gid: 0 });
  process.user = umask === undefined ? user : { ...user, umask };
  const set = variables.get("HOME");
  if (set === undefined || set === `HOME=${before.home}`) variables.set("HOME", `HOME=${home}`);
}

function setVariables(
  variables: Map<string, string>,
  flags: Line["flags"],
  context: ExecContext,
): void {
  const set = (variable: string) => setVariable(variables, variable, context.env);
  for (const path of flags["env-file"]) {
    const read = () => parsePairs(context.readFile(path), context.env);
    parsed(`--env-file "${path}"`, path, read).forEach(set);
  }
  flags.env.forEach(set);
}
