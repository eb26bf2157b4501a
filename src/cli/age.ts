const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** How long something lasts, in words; docker's units.HumanDuration. */
export function inWords(ms: number): string {
  if (!(ms >= SECOND)) return "Less than a second";
  if (ms < 2 * SECOND) return "1 second";
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} seconds`;
  if (ms < 2 * MINUTE) return "About a minute";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} minutes`;
  if (Math.round(ms / HOUR) < 2) return "About an hour";
  if (ms < 2 * DAY) return `${Math.round(ms / HOUR)} hours`;
  if (ms < 14 * DAY) return `${Math.floor(ms / DAY)} days`;
  if (ms < 60 * DAY) return `${Math.floor(ms / DAY / 7)} weeks`;
  if (ms < 730 * DAY) return `${Math.floor(ms / DAY / 30)} months`;
  return `${Math.floor(ms / DAY / 365)} years`;
}

/** How long ago something was: "5 minutes ago"; "" for no time. */
export function ago(thenMs: number, nowMs = Date.now()): string {
  return Number.isNaN(thenMs) ? "" : `${inWords(nowMs - thenMs)} ago`;
}

/** A time as docker lists it, in UTC: "2026-01-02 15:04:05 +0000 UTC". */
export function listedTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return "";
  return `${time.toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`;
}
