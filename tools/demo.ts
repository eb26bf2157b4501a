/**
 * Shows what a container is, step by step, and checks each step:
 *
 *     deno task demo [--on-host] [SCENE]...
 *
 * Everything is kept in a directory of its own, and in a network namespace of its own unless
 * `--on-host` is there: the machine's network stays as it is. MINICTR names the executable to be
 * shown, otherwise it is main.ts of this checkout. Needs root. Ends with 1 if something does not hold.
 */
import { minictrCommand } from "../tests/support/program.ts";
import { SCENES } from "./demo/scenes.ts";
import { Stage } from "./demo/stage.ts";

const INSIDE = "MINICTR_DEMO_INSIDE";

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((word) => word !== "--on-host");
  const odd = names.find((name) => !SCENES.some((scene) => scene.name === name));
  if (odd !== undefined) {
    console.error(`demo: no scene "${odd}": ${SCENES.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  if (Deno.uid() !== 0) {
    console.error("demo: containers need root: try sudo");
    return 2;
  }
  if (!args.includes("--on-host") && !Deno.env.has(INSIDE)) return await again(names);
  await using stage = await Stage.open(minictrCommand());
  for (const scene of SCENES) {
    if (names.length > 0 && !names.includes(scene.name)) continue;
    stage.title(scene.title);
    await scene.play(stage);
  }
  return stage.finish();
}

/** The same in a new network namespace; unshare(1). */
async function again(names: readonly string[]): Promise<number> {
  const deno = [Deno.execPath(), "run", "-A", "--no-lock", "--cached-only", import.meta.filename];
  const { code } = await new Deno.Command("unshare", {
    args: ["--net", ...deno.filter((word) => word !== undefined), ...names],
    env: { [INSIDE]: "1" },
  }).spawn().status;
  return code;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
