/** A command line that cannot be accepted; main.ts prints it and exits 125. */
export class UsageError extends Error {
  override name = "UsageError";
}
