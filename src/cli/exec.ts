import { execIn, type ExecOptions, joinContainer, type Joined } from "../container/exec.ts";
import { isTerminal, terminalSize } from "../container/console.ts";
import { rootsBelow } from "../container/state.ts";
import { EXEC } from "./exec_flags.ts";
import { type ExecContext, execProcess } from "./exec_process.ts";
import { type CommandLine, parseCommandLine, parsed, wrongUse } from "./grammar.ts";
import { UsageError } from "./usage_error.ts";

/**
 * `minictr exec`: a further command in a running container.
 *
 * @returns its exit status, as a shell shows it; 0 in the background
 */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const line = parseCommandLine(EXEC, args);
  if (line.help) {
    console.log((await import("./help.ts")).helpText(EXEC));
    return 0;
  }
  const { flags, operands: [name, command] } = line;
  if (name === undefined || command === undefined) {
    throw wrongUse(EXEC, "exec needs a container and a command");
  }
  await checkMode(line);
  const roots = rootsBelow(root);
  using joined = await joinContainer(roots, name);
  const process = await execProcess(joined.spec.process, line, contextOf(joined));
  if (flags.tty && isTerminal(1)) {
    const size = terminalSize(1);
    if (size) process.consoleSize = size;
  }
  const { pidfile } = flags;
  const options: ExecOptions = {
    roots,
    interactive: flags.interactive,
    detach: flags.detach,
    ...await filterOf(joined),
    ...pidfile === undefined
      ? {}
      : { onStart: (pid: number) => Deno.writeTextFileSync(pidfile, `${pid}`) },
  };
  if (flags.explain) {
    return await (await import("./explain.ts")).printJoin(joined, process, options, flags.json);
  }
  if (flags.trace) options.trace = (await import("./trace.ts")).traceTo(flags.json);
  return await execIn(joined, process, options);
}

async function checkMode({ flags }: CommandLine<typeof EXEC>): Promise<void> {
  if (flags.detach && flags.tty) {
    throw new UsageError("--detach and --tty exclude each other: nobody would hold the terminal");
  }
  const keys = flags["detach-keys"];
  if (keys === undefined) return;
  parsed("--detach-keys", keys, (await import("./detach_keys.ts")).parseDetachKeys);
}

/** The filter that the container's own processes have. */
async function filterOf({ spec, seccomp }: Joined): Promise<Pick<ExecOptions, "seccomp">> {
  if (!spec.linux?.seccomp) return {};
  if (seccomp) return { seccomp };
  return { seccomp: await (await import("./seccomp.ts")).filterOf(spec.linux.seccomp) };
}

function contextOf({ state, spec }: Joined): ExecContext {
  return {
    env: (name) => Deno.env.get(name),
    readFile(path) {
      try {
        return Deno.readFileSync(path);
      } catch (cause) {
        throw new UsageError(`--env-file: cannot read "${path}"`, { cause });
      }
    },
    async user(text, base) {
      const { parseUser } = await import("./user.ts");
      const { resolveUser } = await import("../container/users.ts");
      return resolveUser([`/proc/${state.pid}/root`], parsed("--user", text, parseUser), [], base);
    },
    async capabilities(base, { add, drop, privileged }) {
      const { capabilities } = await import("./spec_security.ts");
      const { CAPABILITIES } = await import("../spec/mod.ts");
      const mapped = spec.linux?.namespaces?.some(({ type }) => type === "user") ?? false;
      // Who joins a user namespace has all capabilities in it.
      const all = mapped ? CAPABILITIES : (await import("./host.ts")).ownCapabilities();
      return capabilities({ add, drop }, { all, base: privileged ? all : base });
    },
  };
}
