import { dataDirectory } from "../container/definition.ts";
import { type Known, knownContainers, statusOf } from "../container/list.ts";
import type { Roots } from "../container/mod.ts";
import { removeContainer } from "../container/remove.ts";
import { cut, parsed } from "./grammar.ts";
import { parseInstant } from "./instant.ts";
import { UsageError } from "./usage_error.ts";

/** Whether a container is among those meant. */
type Filter = (known: Known) => boolean;

/**
 * What `--filter` of `container prune` says: `label=KEY[=VALUE]`, `label!=…`, `until=TIME`.
 *
 * @throws {UsageError}
 */
export function pruneFilters(texts: readonly string[]): Filter[] {
  return texts.map((text): Filter => {
    const [key, value = ""] = cut(text);
    if (key === "until") {
      const untilMs = parsed("--filter until", value, parseInstant);
      return ({ definition }) => Date.parse(definition?.created ?? "") < untilMs;
    }
    if (key === "label" || key === "label!") {
      const [label, wanted] = cut(value);
      const has: Filter = ({ definition }) => {
        const found = definition?.labels[label];
        return found !== undefined && (wanted === undefined || found === wanted);
      };
      return key === "label" ? has : (known) => !has(known);
    }
    throw new UsageError(`--filter: there is no filter "${key}"; there are label and until`);
  });
}

/** The containers that do not run, nor wait to. */
export function prunable(roots: Roots, filters: Filter[]): Known[] {
  return knownContainers(roots).filter((known) =>
    known.definition && ["created", "exited", "dead"].includes(statusOf(roots, known)) &&
    filters.every((filter) => filter(known))
  );
}

/**
 * Removes containers; one that was started meanwhile stays.
 *
 * @returns their ids, and how much room they took on the disk
 */
export async function removeAll(
  roots: Roots,
  all: Known[],
): Promise<{ removed: string[]; bytes: number }> {
  const removed: string[] = [];
  let bytes = 0;
  for (const known of all) {
    const size = bytesOf(dataDirectory(roots, known.id));
    try {
      await removeContainer(roots, known, { force: false, volumes: false });
    } catch {
      continue;
    }
    removed.push(known.id);
    bytes += size;
  }
  return { removed, bytes };
}

/** What a directory takes on the disk, in bytes; links are not followed. */
function bytesOf(path: string): number {
  try {
    const { isDirectory, blocks, size } = Deno.lstatSync(path);
    const own = blocks === null ? size : blocks * 512;
    if (!isDirectory) return own;
    return Array.from(Deno.readDirSync(path), ({ name }) => bytesOf(`${path}/${name}`))
      .reduce((sum, bytes) => sum + bytes, own);
  } catch {
    return 0; // Gone meanwhile.
  }
}
