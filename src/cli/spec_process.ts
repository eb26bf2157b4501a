import { parsed } from "./grammar.ts";
import { parseHostname } from "./name.ts";
import { parseInteger, parseOctal, parseUlimit } from "./number.ts";
import { parsePairs, setVariable } from "./pair.ts";
import type { RunSpec, Wish } from "./run_spec.ts";
import { UsageError } from "./usage_error.ts";
import { idOrName, parseUser } from "./user.ts";

/** What is run, as whom, where, and with which environment and limits. */
export function applyProcess(made: RunSpec, wish: Wish): void {
  const { line: { flags }, context } = wish;
  const { process } = made.spec;
  applyUser(made, wish);
  applyArgs(made, wish);
  applyEnv(made, wish);
  process.cwd = flags.workdir ?? (context.image?.workingDir || "/");
  if (!process.cwd.startsWith("/")) {
    throw new UsageError(`--workdir: "${process.cwd}" is not an absolute path`);
  }
  if (flags.umask !== undefined) {
    process.user.umask = parsed("--umask", flags.umask, (text) => parseOctal(text, 0o777));
  }
  const rlimits = new Map((process.rlimits ?? []).map((limit) => [limit.type, limit]));
  for (const text of flags.ulimit) {
    const limit = parsed("--ulimit", text, parseUlimit);
    rlimits.set(limit.type, limit);
  }
  process.rlimits = [...rlimits.values()];
  if (flags["oom-score-adj"] !== undefined) {
    const read = (text: string) => parseInteger(text, -1000, 1000);
    process.oomScoreAdj = parsed("--oom-score-adj", flags["oom-score-adj"], read);
  }
  if (flags.hostname !== undefined) parsed("--hostname", flags.hostname, parseHostname);
  if (flags.domainname !== undefined) {
    made.spec.domainname = parsed("--domainname", flags.domainname, parseHostname);
  }
}

function applyUser(made: RunSpec, { line: { flags }, context }: Wish): void {
  const { user } = made.spec.process;
  made.user = parsed("--user", flags.user ?? context.image?.user ?? "", parseUser);
  if (typeof made.user.user === "number") user.uid = made.user.user;
  if (typeof made.user.group === "number") user.gid = made.user.group;
  const groups = flags["group-add"].map((group) => parsed("--group-add", group, idOrName));
  const ids = groups.filter((group) => typeof group === "number");
  if (ids.length > 0) user.additionalGids = ids;
  made.groups = groups.filter((group) => typeof group === "string");
}

/** docker's rule: an entry point from the command line leaves out the image's command too. */
function applyArgs(made: RunSpec, { line: { flags }, context }: Wish): void {
  const { command, image = {} } = context;
  const { entrypoint } = flags;
  if (entrypoint !== undefined) {
    made.spec.process.args = [...entrypoint === "" ? [] : [entrypoint], ...command];
    return;
  }
  const rest = command.length > 0 ? command : image.cmd ?? [];
  made.spec.process.args = [...image.entrypoint ?? [], ...rest];
}

/** PATH, the image's variables, the files', the flags'; the last one of a name counts. */
function applyEnv(made: RunSpec, { line: { flags }, context }: Wish): void {
  const { process } = made.spec;
  const variables = new Map<string, string>();
  const set = (variable: string) => setVariable(variables, variable, context.env);
  process.env.forEach(set);
  for (const variable of context.image?.env ?? []) set(variable);
  for (const path of flags["env-file"]) {
    const read = () => parsePairs(context.readFile(path), context.env);
    parsed(`--env-file "${path}"`, path, read).forEach(set);
  }
  flags.env.forEach(set);
  process.env = [...variables.values()];
}
