/**
 * What can stand at the end of a command line, as the tables of flags say it: pure.
 *
 * @module
 */
import type { Flag, Grammar } from "./grammar.ts";

/** What one of a word's candidates may be. */
export type Kind =
  | "containers"
  | "containers with a path"
  | "networks"
  | "volumes"
  | "root filesystems"
  | "files"
  | "signals"
  | "capabilities";

/** What can stand at a place. */
export interface Wanted {
  /** In front of each candidate: "--network=". */
  prefix: string;
  kinds: readonly Kind[];
  /** Words that are known without asking, with what they mean. */
  words: readonly (readonly [word: string, means: string])[];
}

const NOTHING: Wanted = { prefix: "", kinds: [], words: [] };

/** Commands whose options end at their first operand: what follows is the container's. */
const ENDS_AT_OPERAND = ["run", "create", "exec", "top"];

/**
 * What the last word may be.
 *
 * @param words behind the command's name; the last is the one that is being typed
 */
export function wantedAt(grammar: Grammar, words: readonly string[]): Wanted {
  const flags = grammar.groups.flatMap((group) => group.flags);
  const long = (name: string) => flags.find((flag) => flag.name === name);
  let operands = 0, ended = false;
  for (let at = 0; at < words.length - 1; at++) {
    const word = words[at] ?? "";
    if (ended || word === "-" || !word.startsWith("-")) {
      operands++;
      if (ENDS_AT_OPERAND.includes(grammar.command)) ended = true;
      continue;
    }
    if (word === "--") {
      ended = true;
      continue;
    }
    const waiting = word.startsWith("--")
      ? (word.includes("=") ? undefined : long(word.slice(2)))
      : lastOfBundle(flags, word.slice(1));
    if (waiting?.value === undefined) continue;
    if (at === words.length - 2) return valueOf(waiting, "");
    at++;
  }
  const word = words.at(-1) ?? "";
  if (ended || !word.startsWith("-")) return operandAt(grammar, operands);
  const equals = word.indexOf("=");
  if (word.startsWith("--") && equals > 0) {
    const flag = long(word.slice(2, equals));
    return flag?.value === undefined ? NOTHING : valueOf(flag, word.slice(0, equals + 1));
  }
  const shown = flags.filter(({ aliasOf }) => aliasOf === undefined);
  return {
    ...NOTHING,
    words: [
      ...shown.map(({ name, help }) => [`--${name}`, help] as const),
      ...shown.flatMap(({ short, help }) =>
        short === undefined ? [] : [[`-${short}`, help] as const]
      ),
      ["--help", "what it does, and all options"],
    ],
  };
}

/** The flag of a bundle as `-it` that waits for the next word as its value. */
function lastOfBundle(flags: readonly Flag[], letters: string): Flag | undefined {
  for (const [at, letter] of [...letters].entries()) {
    const flag = flags.find(({ short }) => short === letter);
    if (flag?.value === undefined) continue;
    return at === letters.length - 1 ? flag : undefined;
  }
  return undefined;
}

const MODES = ["host", "private"];
/** By the name of a flag, where its table does not list what it may be. */
const VALUES: Readonly<Record<string, { kinds?: Kind[]; words?: string[] }>> = {
  network: { kinds: ["networks"], words: ["none", "host"] },
  "volumes-from": { kinds: ["containers"] },
  volume: { kinds: ["volumes", "files"] },
  signal: { kinds: ["signals"] },
  "stop-signal": { kinds: ["signals"] },
  "cap-add": { kinds: ["capabilities"], words: ["ALL"] },
  "cap-drop": { kinds: ["capabilities"], words: ["ALL"] },
  format: { words: ["json", "table"] },
  pid: { words: MODES },
  ipc: { words: MODES },
  uts: { words: MODES },
  cgroupns: { words: MODES },
  userns: { words: MODES },
  restart: { words: ["no", "on-failure", "always", "unless-stopped"] },
};

function valueOf(flag: Flag, prefix: string): Wanted {
  const { name, aliasOf, choices, value = "", help } = flag;
  const known = VALUES[aliasOf ?? name];
  const takesFile = /\b(FILE|DIR|PATH|SRC)\b/.test(value) ? ["files" as const] : [];
  return {
    prefix,
    kinds: known?.kinds ?? (known ? [] : takesFile),
    words: [...choices ?? [], ...known?.words ?? []].map((word) => [word, help]),
  };
}

/** By what stands for an operand in a grammar. */
const OPERANDS: Readonly<Record<string, readonly Kind[]>> = {
  CONTAINER: ["containers"],
  NETWORK: ["networks"],
  VOLUME: ["volumes"],
  "IMAGE|ROOTFS": ["root filesystems", "files"],
  "CONTAINER:PATH": ["containers with a path", "files"],
  FILE: ["files"],
};

function operandAt({ command, operands, summary }: Grammar, number: number): Wanted {
  if (command === "cp") return { ...NOTHING, kinds: OPERANDS["CONTAINER:PATH"] ?? [] };
  const places = operands.replaceAll(/[[\]]/g, "").split(" ").filter((word) => word !== "");
  const last = places.at(-1) ?? "";
  const place = places[number] ?? (last.endsWith("…") ? last : "");
  const noun = place.replace("…", "");
  if (noun === "NAME") return { ...NOTHING, kinds: NAMES[command] ?? [] };
  const kinds = OPERANDS[noun];
  if (kinds) return { ...NOTHING, kinds };
  const words = noun.split("|").filter((word) => /^-{0,2}[a-z]+$/.test(word));
  return { ...NOTHING, words: words.map((word) => [word, summary]) };
}

/** What NAME is. Of other commands it is a new one. */
const NAMES: Readonly<Record<string, readonly Kind[]>> = {
  inspect: ["containers", "networks", "volumes"],
  "rootfs rm": ["root filesystems"],
  "rootfs pack": ["root filesystems"],
};
