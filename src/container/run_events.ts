/** What is noted of a run that leaves nothing: few writes, none of which its start waits for. */
import { containerEvent, deathEvents, type Happening, noteEvent, noteEvents } from "./events.ts";
import type { Running } from "./live.ts";
import type { Roots, State } from "./state.ts";

/**
 * That it was created and started, each at its time.
 *
 * @param happened in between
 */
export function noteStart(
  roots: Roots,
  state: State & Running,
  happened: readonly Happening[],
): void {
  const atMs = Date.parse(state.startedAt);
  noteEvents(roots, [
    creation(state),
    ...happened.map((event) => ({ ...event, atMs })),
    { ...containerEvent("start", state), atMs },
  ]);
}

/** How it ended. */
export function noteDeath(
  roots: Roots,
  state: State,
  how: { status: number; oomKilled: boolean },
): void {
  noteEvents(roots, deathEvents(state, state, how));
}

/** That nothing is left of it; of one that could not be started, that there was something. */
export function noteGone(roots: Roots, state: State): void {
  if (state.pid === undefined) noteEvents(roots, [creation(state)]);
  noteEvent(roots, "destroy", state);
}

function creation(state: State): Happening {
  return { ...containerEvent("create", state), atMs: Date.parse(state.created) };
}
