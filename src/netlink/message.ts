/**
 * Messages: requests into bytes, replies into values; pure.
 *
 * ```c
 * struct nlmsghdr { __u32 nlmsg_len; __u16 nlmsg_type, nlmsg_flags; __u32 nlmsg_seq, nlmsg_pid; };
 * struct nlmsgerr { int error; struct nlmsghdr msg; }; // Then, with NLM_F_ACK_TLVS, attributes.
 * ```
 *
 * @see netlink(7), include/uapi/linux/netlink.h
 */
import { errnoName, errnoText } from "../../ffi/mod.ts";
import { aligned, findAttribute } from "./attribute.ts";
import { NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_ERROR, NLMSGERR_ATTR_MSG } from "./constants.ts";
import { type Bytes, textOf } from "./value.ts";

/** Something asked of the kernel. */
export interface Request {
  /** What it does, for the error: `add link "veth0"`. */
  what: string;
  type: number;
  /** NLM_F_…, besides NLM_F_REQUEST, which each has. */
  flags: number;
  /** The family's fixed header and the attributes. */
  body: Uint8Array;
  /** Whether it only begins or ends a batch, which kernels before 6.10 do not acknowledge. */
  isBound?: boolean;
}

/** One message as it was received. */
export interface Message {
  type: number;
  flags: number;
  sequence: number;
  body: Uint8Array;
}

/** What the kernel says of a request: an error number, positive, 0 for done, and perhaps why. */
export interface Acknowledgement {
  errno: number;
  text?: string;
}

/** Bytes of a `struct nlmsghdr`. */
export const NLMSG_HDRLEN = 16;

/** The kernel refused a request. */
export class NetlinkError extends Error {
  override name = "NetlinkError";
  /** As in the header: `EEXIST`. */
  readonly code: string;

  constructor(readonly request: string, { errno, text }: Acknowledgement) {
    const why = text === undefined ? "" : `: ${text}`;
    super(`cannot ${request}: ${errnoText(errno)} (${errnoName(errno)})${why}`);
    this.code = errnoName(errno);
  }
}

/** Messages as one run of bytes, each aligned. */
export function serialiseMessages(messages: readonly Message[]): Bytes {
  const size = messages.reduce((sum, { body }) => sum + NLMSG_HDRLEN + aligned(body.length), 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { type, flags, sequence, body } of messages) {
    view.setUint32(at, NLMSG_HDRLEN + body.length, true);
    view.setUint16(at + 4, type, true);
    view.setUint16(at + 6, flags, true);
    view.setUint32(at + 8, sequence, true);
    bytes.set(body, at + NLMSG_HDRLEN);
    at += NLMSG_HDRLEN + aligned(body.length);
  }
  return bytes;
}

/**
 * The messages in some bytes; bodies are views of the same memory.
 *
 * @throws {Error} for a message that ends behind the last byte
 */
export function parseMessages(bytes: Uint8Array): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + NLMSG_HDRLEN <= bytes.length;) {
    const length = numberAt(bytes, at, 4);
    if (length < NLMSG_HDRLEN || at + length > bytes.length) {
      throw new Error(`cannot read message at byte ${at}: ${length} bytes of ${bytes.length}`);
    }
    messages.push({
      type: numberAt(bytes, at + 4, 2),
      flags: numberAt(bytes, at + 6, 2),
      sequence: numberAt(bytes, at + 8, 4),
      body: bytes.subarray(at + NLMSG_HDRLEN, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** What an NLMSG_ERROR message says; undefined for another type of message. */
export function acknowledgementIn({ type, flags, body }: Message): Acknowledgement | undefined {
  if (type !== NLMSG_ERROR || body.length < 4 + NLMSG_HDRLEN) return undefined;
  const errno = -(numberAt(body, 0, 4) | 0) | 0;
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno };
  const echoed = (flags & NLM_F_CAPPED) !== 0 ? NLMSG_HDRLEN : numberAt(body, 4, 4);
  const text = findAttribute(body, NLMSGERR_ATTR_MSG, 4 + aligned(echoed));
  return text === undefined ? { errno } : { errno, text: textOf(text) };
}

/** A little-endian number, unsigned. */
function numberAt(bytes: Uint8Array, start: number, size: number): number {
  let number = 0;
  for (let at = start + size - 1; at >= start; at--) number = number * 256 + (bytes[at] ?? 0);
  return number;
}
