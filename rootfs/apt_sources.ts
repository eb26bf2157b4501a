/**
 * Which mirror and suites this machine's apt is configured for.
 *
 * @see sources.list(5)
 * @module
 */

/** An archive that packages are fetched from. */
export interface AptSource {
  /** The mirror's address, with its trailing slash as written. */
  uri: string;
  suites: string[];
  components: string[];
  /** The keyring file that its signatures are checked with, where one is named. */
  signedBy?: string;
}

/** The binary sources of a one-line-per-source file: `deb [OPTIONS] URI SUITE COMPONENT…`. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.replace(/#.*/, "").trim();
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+\S+)*)$/.exec(line);
    if (!match) continue;
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const signedBy = /(?:^|\s)signed-by=(\/\S+)/.exec(options)?.[1];
    sources.push({
      uri,
      suites: [suite],
      components: components.trim().split(/\s+/).filter((name) => name !== ""),
      ...(signedBy === undefined ? {} : { signedBy }),
    });
  }
  return sources;
}

/** The binary sources of a deb822 file (`.sources`): stanzas of `Key: value`, continued by indented lines. */
export function parseDeb822(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const stanza of text.split(/\n[ \t]*\n/)) {
    const fields = deb822Fields(stanza);
    const words = (key: string) =>
      (fields.get(key) ?? "").split(/\s+/).filter((word) => word !== "");
    if (!words("types").includes("deb") || fields.get("enabled")?.trim() === "no") continue;
    const signedBy = words("signed-by").find((word) => word.startsWith("/"));
    for (const uri of words("uris")) {
      sources.push({
        uri,
        suites: words("suites"),
        components: words("components"),
        ...(signedBy === undefined ? {} : { signedBy }),
      });
    }
  }
  return sources;
}

function deb822Fields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let key: string | undefined;
  for (const line of stanza.split("\n")) {
    if (line.startsWith("#")) continue;
    const field = /^([^\s:]+):(.*)$/.exec(line);
    if (field) {
      key = field[1]?.toLowerCase() ?? "";
      fields.set(key, field[2] ?? "");
    } else if (key !== undefined && /^[ \t]/.test(line)) {
      fields.set(key, `${fields.get(key)}\n${line}`);
    }
  }
  return fields;
}

/** All sources in /etc/apt, in apt's order. */
export function aptSources(directory = "/etc/apt"): AptSource[] {
  const files = [`${directory}/sources.list`, ...entries(`${directory}/sources.list.d`)];
  return files.flatMap((path) => {
    const text = read(path);
    if (path.endsWith(".list")) return parseSourcesList(text);
    return path.endsWith(".sources") ? parseDeb822(text) : [];
  });
}

/** The source for a suite; for one that apt does not have, the first main archive, since mirrors hold all suites. */
export function sourceFor(suite: string, sources: AptSource[]): AptSource | undefined {
  return sources.find(({ suites }) => suites.includes(suite)) ??
    sources.find(({ suites, components }) =>
      components.includes("main") && suites.some((name) => !/[-/]/.test(name))
    );
}

function entries(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => `${directory}/${name}`).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
