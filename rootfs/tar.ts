/**
 * A root filesystem from a tar file, as Alpine's minirootfs: given as a file or an address, plain or compressed.
 *
 * @module
 */
import { decompressed, extractTar, Sha256, watched } from "../src/image/mod.ts";
import { type OnProgress, type Recipe, RecipeError } from "./recipe.ts";

/** Which archive. */
export interface TarOptions {
  /** A file's path, or an http(s) address. */
  archive: string;
  /** What its sha256 must be, in hex. Needed for an address. */
  sha256?: string;
  /** Makes the device nodes in the archive too. */
  devices?: boolean;
}

/** A server that sends nothing for so long is given up. */
const STALL_TIMEOUT_MS = 60_000;

/**
 * Fills `tree` with an archive's content.
 *
 * The digest is that of the very bytes that were unpacked, so that the file cannot change in between; when it is
 * not the one wanted, the caller keeps nothing of the tree.
 */
export const tar: Recipe<TarOptions> = async (tree, options, onProgress) => {
  const { archive, devices = false } = options;
  const wanted = wantedDigest(options);
  const { stream, totalBytes } = isAddress(archive) ? await download(archive) : await open(archive);
  const hash = await Sha256.create();
  const step = `unpack ${archive.split("/").at(-1)}`;
  const seen = watched(stream, (piece, readBytes) => {
    hash.update(piece);
    onProgress(progress(step, readBytes, totalBytes));
  });
  try {
    await extractTar(await decompressed(seen.stream), tree, { devices });
  } catch (cause) {
    await seen.drain(); // Damaged, or another file altogether? The digest tells.
    if (wanted !== undefined) checkDigest(archive, hash.hex(), wanted, { cause });
    throw cause;
  }
  await seen.drain(); // Decompressors may leave what follows the end of the data.
  const sha256 = hash.hex();
  if (wanted !== undefined) checkDigest(archive, sha256, wanted);
  return { source: archive, sha256 };
};

function wantedDigest({ archive, sha256 }: TarOptions): string | undefined {
  if (sha256 === undefined) {
    if (!isAddress(archive)) return undefined;
    throw new RecipeError(`cannot fetch "${archive}" unseen: give its --sha256`);
  }
  const digest = sha256.replace(/^sha256:/, "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digest)) return digest;
  throw new RecipeError(`"${sha256}" is no sha256: 64 hexadecimal digits are`);
}

function checkDigest(
  archive: string,
  actual: string,
  wanted: string,
  options?: ErrorOptions,
): void {
  if (actual === wanted) return;
  const message = `"${archive}" has the sha256 ${actual}, but ${wanted} was wanted`;
  throw new RecipeError(message, options);
}

function isAddress(archive: string): boolean {
  return /^https?:\/\//.test(archive);
}

interface Opened {
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  totalBytes?: number;
}

async function open(path: string): Promise<Opened> {
  try {
    const file = await Deno.open(path);
    const { isFile, size } = await file.stat();
    return { stream: file.readable, ...(isFile ? { totalBytes: size } : {}) };
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
    throw new RecipeError(`cannot open "${path}": ${reason}`, { cause });
  }
}

async function download(address: string): Promise<Opened> {
  const stall = new AbortController();
  const giveUp = () =>
    stall.abort(new RecipeError(`nothing came for ${STALL_TIMEOUT_MS / 1000} s`));
  let timer = setTimeout(giveUp, STALL_TIMEOUT_MS);
  try {
    const response = await fetch(address, { signal: stall.signal });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw new RecipeError(`the server answered ${response.status} ${response.statusText}`);
    }
    const guarded = watched(response.body, () => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, STALL_TIMEOUT_MS);
    }, () => clearTimeout(timer));
    const length = Number(response.headers.get("content-length") ?? NaN);
    return {
      stream: guarded.stream,
      ...(Number.isSafeInteger(length) ? { totalBytes: length } : {}),
    };
  } catch (cause) {
    clearTimeout(timer);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RecipeError(`cannot fetch "${address}": ${reason}`, { cause });
  }
}

function progress(step: string, done: number, total?: number): Parameters<OnProgress>[0] {
  return { step, done, unit: "bytes", ...(total === undefined ? {} : { total }) };
}
