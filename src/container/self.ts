import type { Roots } from "./state.ts";

/** How this program is started again with other words: argv, for the same roots. */
export function selfCommand({ given }: Roots, words: string[]): string[] {
  return [...program(), ...given === undefined ? [] : ["--root", given], ...words];
}

/**
 * The same for words that last, as in a unit of systemd: by the file that the user called, which the
 * portable executable says by MINICTR_FILE. Where that is unpacked changes with each release.
 */
export function lastingCommand(roots: Roots, words: string[]): string[] {
  const command = selfCommand(roots, words);
  const file = Deno.env.get("MINICTR_FILE");
  const isPortable = file !== undefined && Deno.env.has("MINICTR_SELF");
  return isPortable ? [Deno.realPathSync(file), ...command.slice(1)] : command;
}

/** The portable executable says what it is by MINICTR_SELF. */
function program(): string[] {
  const self = Deno.env.get("MINICTR_SELF");
  if (self !== undefined) return [self];
  if (Deno.build.standalone) return [Deno.execPath()];
  const main = decodeURIComponent(new URL(Deno.mainModule).pathname);
  return [Deno.execPath(), "run", "-A", "--quiet", "--no-lock", main];
}

/** What the program needs to be started again; the rest of the caller's environment is not kept. */
export function selfEnvironment(): string[] {
  return ["PATH", "HOME", "LANG", "DENO_DIR", "DENO_NO_UPDATE_CHECK", "DENO_V8_FLAGS"].flatMap(
    (name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [`${name}=${value}`];
    },
  );
}
