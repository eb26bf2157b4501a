/** A config.json, or the spec that flags made, that the runtime cannot accept. */
export class SpecError extends Error {
  override name = "SpecError";
  /** @param field where in config.json, as `process.args[0]` */
  constructor(readonly field: string, message: string, options?: ErrorOptions) {
    super(`config.json: ${field}: ${message}`, options);
  }
}
