/**
 * Listings in source files, bytes with assembler text beside them, and assemblers as their judges.
 */

/** A line of a listing: the text of one instruction, or of a label, and the bytes beside it. */
export interface ListingLine {
  readonly text: string;
  readonly bytes: readonly number[];
}

export type ListedArchitecture = "x86_64" | "aarch64";

const ASSEMBLERS = {
  x86_64: {
    as: "x86_64-linux-gnu-as",
    objcopy: "x86_64-linux-gnu-objcopy",
    head: ".intel_syntax noprefix",
  },
  aarch64: { as: "aarch64-linux-gnu-as", objcopy: "aarch64-linux-gnu-objcopy", head: "" },
};

/** The listing of the array that a source file exports under `name`. */
export function listingIn(source: URL, name: string): ListingLine[] {
  const [, rest = ""] = Deno.readTextFileSync(source).split(`const ${name} = new Uint8Array([\n`);
  const [body = ""] = rest.split("\n]);");
  return body.split("\n").map((line) => {
    const [bytes = "", text = ""] = line.split("//");
    const numbers = bytes.split(",").map((byte) => byte.trim()).filter((byte) => byte !== "");
    return { text: text.trim(), bytes: numbers.map(Number) };
  });
}

/**
 * What the assembler makes of each line of a listing.
 *
 * @param directory where its files may lie
 */
export function assembleListing(
  arch: ListedArchitecture,
  lines: readonly ListingLine[],
  directory: string,
): ListingLine[] {
  const { as, objcopy, head } = ASSEMBLERS[arch];
  const marked = lines.flatMap(({ text }, index) => [`.Lline${index}:`, text]);
  // In a section of its own: where each line begins, and the end.
  const places = [...lines.keys(), lines.length].map((index) => `.short .Lline${index} - .Lline0`);
  const source = [head, ".text", ...marked, `.Lline${lines.length}:`, ".data", ...places, ""];
  Deno.writeTextFileSync(`${directory}/listing.s`, source.join("\n"));
  run(as, "-o", `${directory}/listing.o`, `${directory}/listing.s`);
  const section = (name: string) => {
    run(objcopy, "-O", "binary", "-j", name, `${directory}/listing.o`, `${directory}/listing.bin`);
    return Deno.readFileSync(`${directory}/listing.bin`);
  };
  const code = section(".text");
  const starts = new Uint16Array(section(".data").slice(0, 2 * places.length).buffer);
  return lines.map(({ text }, index) => ({
    text,
    bytes: [...code.subarray(starts[index], starts[index + 1])],
  }));
}

function run(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args }).outputSync();
  if (!success) throw new Error(`cannot run "${command}": ${new TextDecoder().decode(stderr)}`);
}
