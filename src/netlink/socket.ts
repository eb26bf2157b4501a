/**
 * A netlink socket: the only file here that talks to the kernel.
 *
 * The kernel carries a request out while it is being sent, so that all its answers lie in the socket
 * when sendto(2) returns, and a dump goes on with each recvfrom(2): nothing here ever waits.
 *
 * @see netlink(7)
 */
import {
  AF_NETLINK,
  Fd,
  MSG_DONTWAIT,
  MSG_TRUNC,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
  syscall,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import {
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  SOL_NETLINK,
} from "./constants.ts";
import {
  type Acknowledgement,
  acknowledgementIn,
  type Message,
  NetlinkError,
  parseMessages,
  type Request,
  serialiseMessages,
} from "./message.ts";
import { IFNAMSIZ, interfaceName, numberOf, u32 } from "./value.ts";

const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SIOCGIFINDEX = 0x8933;
const IFREQ_SIZE = 40;
const EAGAIN = -11;
/** Bytes: a datagram of a dump has 32 KiB at most. */
const RECEIVE_SIZE = 65_536;
/** Bytes that a socket takes at once unless asked for more: below net.core.wmem_default. */
const SEND_DEFAULT = 100_000;
/** A dump that changes under its reader is read so many times at most. */
const DUMP_LIMIT = 5;
/** Bytes of a `struct sockaddr_nl`; `nl_pid` is at 4. */
const SOCKADDR_SIZE = 12;

/** What a socket receives into; nothing waits in it. */
const memory = new Uint8Array(RECEIVE_SIZE);

/** A socket of one family of netlink, in the network namespace that its thread was in. */
export class NetlinkSocket implements Disposable {
  readonly #fd: Fd;
  readonly #sender = new Uint8Array(SOCKADDR_SIZE);
  #sequence = 0;
  #sendLimit = SEND_DEFAULT;

  /**
   * @param protocol NETLINK_ROUTE or NETLINK_NETFILTER
   * @throws {SyscallError} where the kernel lacks it
   */
  constructor(protocol: number) {
    this.#fd = new Fd(syscall("socket", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    const on = u32(1);
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) { // Old kernels only say less.
      trySyscall("setsockopt", this.#fd.number, SOL_NETLINK, option, on, on.length);
    }
  }

  [Symbol.dispose](): void {
    this.#fd.close();
  }

  /**
   * The index of a link by its name, where nothing else of it is wanted; netdevice(7).
   *
   * @throws {SyscallError} ENODEV where there is none
   */
  indexOf(name: string): number {
    // struct ifreq { char ifr_name[16]; int ifr_ifindex; … };
    const request = new Uint8Array(IFREQ_SIZE);
    request.set(interfaceName(name));
    syscall("ioctl", this.#fd.number, SIOCGIFINDEX, request);
    return numberOf(request.subarray(IFNAMSIZ, IFNAMSIZ + 4)) ?? 0;
  }

  /**
   * Has requests carried out in order, in one system call.
   *
   * @throws {NetlinkError} for the first that was refused: of rtnetlink those behind it were carried
   * out nevertheless, of a batch of nf_tables none was
   */
  send(requests: readonly Request[]): void {
    const last = requests.findLastIndex(({ isBound }) => isBound !== true);
    if (last >= 0) this.#carryOut(requests, last);
  }

  /**
   * Asks for one object or, with NLM_F_DUMP among the flags, for all; once more if they changed
   * meanwhile.
   *
   * @throws {NetlinkError} when it is refused
   */
  ask(request: Request): Message[] {
    const isDump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
    for (let tries = 1;; tries++) {
      const messages = this.#carryOut([request], isDump ? undefined : 0);
      const isWhole = messages.every(({ flags }) => (flags & NLM_F_DUMP_INTR) === 0);
      if (isWhole || tries === DUMP_LIMIT) { // Where it changes all the time, nearly right will do.
        return messages.filter(({ type }) => type !== NLMSG_DONE);
      }
    }
  }

  /**
   * Asks for one object.
   *
   * @returns undefined where there is none
   * @throws {NetlinkError} when it is refused for another reason
   */
  find(request: Request): Message | undefined {
    return this.findAll([request])?.[0];
  }

  /**
   * Asks for several objects at once.
   *
   * @returns one message for each, or undefined where one is not there
   * @throws {NetlinkError} when one is refused for another reason
   */
  findAll(requests: readonly Request[]): Message[] | undefined {
    try {
      return this.#carryOut(requests, requests.length - 1);
    } catch (error) {
      const isMissing = error instanceof NetlinkError && /^(ENOENT|ENODEV)$/.test(error.code);
      if (isMissing) return undefined;
      throw error;
    }
  }

  /** @param acknowledged which of the requests is to be acknowledged; absent: a dump has its end */
  #carryOut(requests: readonly Request[], acknowledged: number | undefined): Message[] {
    const first = this.#sequence + 1;
    this.#sequence += requests.length;
    const bytes = serialiseMessages(requests.map(({ type, flags, body }, index) => ({
      type,
      flags: flags | NLM_F_REQUEST | (index === acknowledged ? NLM_F_ACK : 0),
      sequence: first + index,
      body,
    })));
    this.#makeRoom(bytes.length);
    syscall("sendto", this.#fd.number, bytes, bytes.length, 0, 0, 0);
    const { messages, refusal } = this.#answers(first, first + (acknowledged ?? 0));
    if (refusal) throw new NetlinkError(requests[refusal.sequence - first]?.what ?? "?", refusal);
    return messages;
  }

  #makeRoom(size: number): void {
    if (size <= this.#sendLimit) return;
    this.#sendLimit = 2 * size;
    for (const option of [SO_SNDBUFFORCE, SO_RCVBUFFORCE]) {
      trySyscall("setsockopt", this.#fd.number, SOL_SOCKET, option, u32(this.#sendLimit), 4);
    }
  }

  /** All answers up to the one to `final`, or until none is left, as after some refusals. */
  #answers(first: number, final: number): {
    messages: Message[];
    refusal?: Acknowledgement & { sequence: number };
  } {
    const messages: Message[] = [];
    let refusal: Acknowledgement & { sequence: number } | undefined;
    for (let isComplete = false; !isComplete;) {
      const received = this.#receive();
      if (received === undefined) {
        if (refusal) break;
        throw new Error("cannot read from netlink: the kernel did not answer");
      }
      for (const message of received) {
        const { sequence, type } = message;
        if (sequence < first) continue; // Left over from requests of which one was refused.
        const said = acknowledgementIn(message);
        if (said && said.errno !== 0) refusal ??= { ...said, sequence };
        if (!said) messages.push(message);
        isComplete ||= sequence === final && (said !== undefined || type === NLMSG_DONE);
      }
    }
    return refusal ? { messages, refusal } : { messages };
  }

  /** One datagram of the kernel's; undefined when none is left. */
  #receive(): Message[] | undefined {
    const size = trySyscall(
      "recvfrom",
      this.#fd.number,
      memory,
      memory.length,
      MSG_DONTWAIT | MSG_TRUNC,
      this.#sender,
      u32(this.#sender.length),
    );
    if (size === EAGAIN) return undefined;
    if (size < 0) throw new SyscallError("recvfrom", -size);
    if (size > memory.length) {
      throw new Error(`cannot read from netlink: it sent ${size} bytes at once`);
    }
    const sender = new DataView(this.#sender.buffer).getUint32(4, true);
    return sender === 0 ? parseMessages(memory.slice(0, size)) : []; // Any process may send.
  }
}
