import { notice } from "../container/console.ts";
import { rootsBelow } from "../container/state.ts";
import { parseCommandLine, wrongUse } from "./grammar.ts";
import { RUN } from "./run_flags.ts";
import { UsageError } from "./usage_error.ts";

/** The flags are those of `run`; it is another command. */
export const CREATE = {
  ...RUN,
  command: "create",
  summary: "Create a new container without starting it",
  examples: [
    ["minictr create --name web -p 8080:80 httpd -f -p 80", "prints its id"],
    ["minictr start web", "starts it"],
  ],
} as const;

/** Flags of `run` that are about what it does when the container is started at once. */
const OF_A_RUN = ["detach", "bundle", "pidfile", "print-spec", "explain", "trace"];

/** `minictr create`: writes down a container, starts nothing, and prints its id. */
export async function run(args: string[], root: string | undefined): Promise<number> {
  const line = parseCommandLine(CREATE, args);
  if (line.help) {
    console.log((await import("./help.ts")).helpText(CREATE));
    return 0;
  }
  const strange = OF_A_RUN.find((name) => line.given.has(name));
  if (strange !== undefined) {
    throw wrongUse(CREATE, `"--${strange}" is for "minictr run": create starts nothing`);
  }
  if (Deno.uid() !== 0) throw new UsageError("creating a container needs root");
  const roots = rootsBelow(root);
  const { fromFlags } = await import("./run.ts");
  const { options, made } = await fromFlags(line, roots);
  const { define } = await import("./define.ts");
  await define({ ...options, onNotice: notice }, made);
  console.log(options.id);
  return 0;
}
