/**
 * sha256 of what streams by.
 *
 * @module
 */

/** Node's hash, as far as it is used. */
interface Hash {
  update(piece: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

/** A sha256 that is fed piece by piece; WebCrypto has only one for bytes that are all there. */
export class Sha256 {
  readonly #hash: Hash;

  private constructor(hash: Hash) {
    this.#hash = hash;
  }

  static async create(): Promise<Sha256> {
    const { createHash } = await import("node:crypto");
    return new Sha256(createHash("sha256"));
  }

  update(piece: Uint8Array): void {
    this.#hash.update(piece);
  }

  /** The digest as 64 hexadecimal digits; nothing can be added after it. */
  hex(): string {
    return this.#hash.digest("hex");
  }
}

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

/**
 * The same stream, each piece shown to `onPiece` as it passes.
 *
 * A reader that stops early stops only itself: `drain` shows the rest, which a digest must cover too.
 */
export function watched(
  stream: Bytes,
  onPiece: (piece: Uint8Array, readBytes: number) => void,
  onEnd: () => void = () => {},
): { stream: Bytes; drain: () => Promise<void> } {
  const reader = stream.getReader();
  let readBytes = 0;
  const read = async () => {
    const { done, value } = await reader.read();
    if (done) {
      onEnd();
      return undefined;
    }
    readBytes += value.length;
    onPiece(value, readBytes);
    return value;
  };
  const seen: Bytes = new ReadableStream({
    async pull(controller) {
      const piece = await read();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  }, { highWaterMark: 0 });
  return {
    stream: seen,
    async drain() {
      while (await read());
    },
  };
}
