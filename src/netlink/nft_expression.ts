/**
 * Expressions: what a rule of nf_tables is made of. Each loads into a register, compares one, or
 * acts; a comparison that fails ends the rule.
 *
 * @see nft(8), include/uapi/linux/netfilter/nf_tables.h
 */
import type { Attributes } from "./attribute.ts";
import { big32, nulString, u32, u8 } from "./value.ts";

/** A register of 16 bytes; the verdict's own is {@linkcode REG_VERDICT}. */
export const REG_1 = 1;
export const REG_2 = 2;
const REG_VERDICT = 0;
/** The second, third, … four bytes of {@linkcode REG_1}: where a concatenation's fields go. */
export const REG32_01 = 9;
export const REG32_02 = 10;
/** The second four bytes of {@linkcode REG_2}. */
export const REG32_05 = 13;

/** Values of `meta`; enum nft_meta_keys. */
export const META = { protocol: 1, iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 } as const;
/** Values of `ct`; enum nft_ct_keys. */
export const CT = { state: 0, status: 2 } as const;
/** Bits of `ct state`. */
export const CT_STATE = { invalid: 1, established: 2, related: 4, new: 8 } as const;
/** Of `ct status`: the destination was translated; IPS_DST_NAT. */
export const CT_STATUS_DNAT = 0x20;
/** Headers that a payload is read from; enum nft_payload_bases. */
export const HEADER = { link: 0, network: 1, transport: 2 } as const;
/** enum nft_cmp_ops. */
export const CMP = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const;
/** How a comparison goes. */
export type Comparison = keyof typeof CMP;
/** enum nft_verdicts, and NF_DROP and NF_ACCEPT. */
export const VERDICT = { drop: 0, accept: 1, jump: -3, goto: -4, return: -5 } as const;
/** Where a packet goes from here. */
export type Verdict =
  | { verdict: "drop" | "accept" | "return" }
  | { verdict: "jump" | "goto"; chain: string };

/** One expression: NFTA_EXPR_NAME and NFTA_EXPR_DATA. */
export type Expression = Attributes;

/** What a packet's metadata says, into a register. */
export function meta(key: keyof typeof META, register = REG_1): Expression {
  return expression("meta", { 2: big32(META[key]), 1: big32(register) });
}

/** What the connection's tracking says, into a register. */
export function ct(key: keyof typeof CT, register = REG_1): Expression {
  return expression("ct", { 2: big32(CT[key]), 1: big32(register) });
}

/** Some bytes of a header, into a register. */
export function payload(
  header: keyof typeof HEADER,
  offset: number,
  length: number,
  register = REG_1,
): Expression {
  return expression("payload", {
    1: big32(register),
    2: big32(HEADER[header]),
    3: big32(offset),
    4: big32(length),
  });
}

/** The type (RTN_…) of the destination address, a u32, into a register. */
export function fibDestinationType(register = REG_1): Expression {
  const [ADDRTYPE, DADDR] = [3, 1 << 1];
  return expression("fib", { 1: big32(register), 2: big32(ADDRTYPE), 3: big32(DADDR) });
}

/** Goes on only if a register compares so with some bytes. */
export function cmp(how: Comparison, value: Uint8Array, register = REG_1): Expression {
  return expression("cmp", { 1: big32(register), 2: big32(CMP[how]), 3: { 1: value } });
}

/** A register's bytes, those kept that the mask has. */
export function mask(bits: Uint8Array, register = REG_1): Expression {
  return expression("bitwise", {
    1: big32(register),
    2: big32(register),
    3: big32(bits.length),
    4: { 1: bits },
    5: { 1: new Uint8Array(bits.length) },
  });
}

/** Goes on only if any of these bits of a u32 is set, in the host's order. */
export function anyBit(bits: number, register = REG_1): Expression[] {
  return [mask(u32(bits), register), cmp("neq", u32(0), register)];
}

/** Goes on only if a set has a register's value, or has it not. */
export function lookup(set: string, from = REG_1, how: "in" | "not in" = "in"): Expression {
  const NFT_LOOKUP_F_INV = 1;
  return expression("lookup", {
    1: nulString(set),
    2: big32(from),
    5: how === "in" ? undefined : big32(NFT_LOOKUP_F_INV),
  });
}

/** Goes on only if a map has a register's value; what it maps to goes to another register. */
export function mapTo(map: string, from = REG_1, to = REG_1): Expression {
  return expression("lookup", { 1: nulString(map), 2: big32(from), 3: big32(to) });
}

/** The verdict that a map has for a register's value. */
export function verdictMap(map: string, from = REG_1): Expression {
  return mapTo(map, from, REG_VERDICT);
}

/** A constant, into a register. */
export function immediate(value: Uint8Array, register = REG_1): Expression {
  return expression("immediate", { 1: big32(register), 2: { 1: value } });
}

/** Ends the rule with a verdict. */
export function verdict(verdict: Verdict): Expression {
  return expression("immediate", { 1: big32(REG_VERDICT), 2: verdictData(verdict) });
}

/** A verdict as the data of an expression or of a map's element. */
export function verdictData(verdict: Verdict): Attributes {
  return {
    2: {
      1: big32(VERDICT[verdict.verdict]),
      2: "chain" in verdict ? nulString(verdict.chain) : undefined,
    },
  };
}

/** Translates the destination to the address, and the port, in registers; AF_INET or AF_INET6. */
export function dnat(
  family: number,
  { address = REG_1, port }: { address?: number; port?: number },
) {
  const DNAT = 1;
  return expression("nat", {
    1: big32(DNAT),
    2: big32(family),
    3: big32(address),
    5: port === undefined ? undefined : big32(port),
  });
}

/** Translates the source to an address of the interface that the packet leaves by. */
export function masquerade(): Expression {
  return expression("masq", {});
}

/** Counts packets and bytes. */
export function counter(): Expression {
  return expression("counter", {});
}

/** Goes on only for packets of one protocol above IP: 6 for TCP, 17 for UDP, …. */
export function protocolIs(number: number): Expression[] {
  return [meta("l4proto"), cmp("eq", u8(number))];
}

function expression(name: string, data: Attributes): Expression {
  return { 1: nulString(name), 2: data };
}
