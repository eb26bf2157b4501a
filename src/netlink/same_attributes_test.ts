/**
 * What the tests against captured bytes share; there is no test in here.
 * @module
 */
import assert from "assert";
import { parseAttributes, readAttributes, readList, type Value } from "./attribute.ts";

/** What may differ from the bytes of another program. */
export interface SameOptions {
  /** Bytes of the family's fixed header, which must be the same. */
  headerSize: number;
  /** Types of attributes that are not compared. */
  free?: number[];
  /** Paths of nested attributes that the other program sends alone: "/4[0]/2/4". */
  extra?: RegExp;
}

/** Fails unless the attributes are those of another program: their order and the mark of nested
 * ones are free, as in the kernel. */
export function assertSame(body: Uint8Array, hex: string, options: SameOptions): void {
  const { headerSize, free = [], extra } = options;
  const theirs = bytesOf(hex);
  assert.deepEqual(body.subarray(0, headerSize), theirs.subarray(0, headerSize));
  const found = readAttributes(theirs.subarray(headerSize));
  const ours: Record<number, Value | undefined> = { ...parseAttributes(body.subarray(headerSize)) };
  for (const type of free) {
    found.delete(type);
    delete ours[type];
  }
  assertSameMap(ours, found, { path: "", extra });
}

/** Bytes from hexadecimal digits. */
export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(hex.match(/../g)?.map((digits) => parseInt(digits, 16)) ?? []);
}

/** Where a comparison is. */
interface Place {
  path: string;
  extra: RegExp | undefined;
}

function assertSameMap(ours: object, theirs: Map<number, Uint8Array>, place: Place): void {
  const { path, extra } = place;
  for (const type of theirs.keys()) {
    if (!(type in ours) && extra?.test(`${path}/${type}`)) theirs.delete(type);
  }
  assert.deepEqual(Object.keys(ours).map(Number), [...theirs.keys()].sort((a, b) => a - b), path);
  for (const [type, value] of Object.entries(ours)) {
    const found = theirs.get(Number(type)) ?? new Uint8Array();
    assertSameValue(value, found, { path: `${path}/${type}`, extra });
  }
}

function assertSameValue(ours: Value, theirs: Uint8Array, place: Place): void {
  const { path, extra } = place;
  if (ours instanceof Uint8Array) {
    assert.deepEqual([...ours], [...theirs], path);
    return;
  }
  const [list] = Object.values(ours);
  if (Object.keys(ours).join() !== "1" || !Array.isArray(list)) {
    assertSameMap(ours, readAttributes(theirs), place);
    return;
  }
  const found = readList(theirs);
  assert.equal(list.length, found.length, path);
  for (const [index, one] of list.entries()) {
    assertSameValue(one, found[index] ?? new Uint8Array(), { path: `${path}[${index}]`, extra });
  }
}
