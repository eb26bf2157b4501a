/**
 * All tables, in the order in which they are printed.
 */
import { BACKGROUND } from "./background.ts";
import { contenders, MEANING } from "./contenders.ts";
import { EXEC } from "./exec.ts";
import { MANY } from "./many.ts";
import type { Comparison } from "./table.ts";

/** `run`: a container is made, runs `/bin/true`, and is taken away. */
const START: Comparison = {
  name: "start",
  title: "Start: run `/bin/true` in a new container, to its end",
  contenders,
  meaning: MEANING,
};

/** By the names that the command line knows them by. */
export const TABLES: readonly Comparison[] = [START, EXEC, BACKGROUND, MANY];
