/** Routes: `ip route`; rtnetlink(7). Addresses are 4 or 16 bytes. */
import { familyOf, written } from "./address.ts";
import { findAttribute, serialiseAttributes } from "./attribute.ts";
import {
  AF_UNSPEC,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RTA_DST,
  RTA_GATEWAY,
  RTA_OIF,
  RTA_TABLE,
  RTM_GETROUTE,
  RTM_NEWROUTE,
  RTN_UNICAST,
  RTPROT_BOOT,
} from "./constants.ts";
import type { Message, Request } from "./message.ts";
import { type Bytes, joined, numberOf, u32 } from "./value.ts";

/** Bytes of a `struct rtmsg`. */
const RTMSG_SIZE = 12;

/** Where packets go. */
export interface Route {
  /** Absent: all that no other route takes. */
  destination?: Uint8Array;
  /** Bits of `destination`; 0 for all. */
  prefix: number;
  gateway?: Uint8Array;
  /** Of the interface. */
  index?: number;
}

/** Equivalent to `ip route add $destination/$prefix via $gateway dev $index`. */
export function newRoute({ destination, prefix, gateway, index }: Route): Request {
  const family = familyOf(destination ?? gateway);
  const to = destination === undefined ? "default" : `${written(destination)}/${prefix}`;
  const via = gateway === undefined ? "" : ` via ${written(gateway)}`;
  return {
    what: `add route ${to}${via}`,
    type: RTM_NEWROUTE,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: joined(
      route(family, destination === undefined ? 0 : prefix),
      serialiseAttributes({
        [RTA_DST]: destination,
        [RTA_GATEWAY]: gateway,
        [RTA_OIF]: index === undefined ? undefined : u32(index),
      }),
    ),
  };
}

/** Equivalent to `ip route show table all` of one family. */
export function getRoutes(family: number = AF_UNSPEC): Request {
  const body = new Uint8Array(RTMSG_SIZE);
  body[0] = family;
  return { what: "list routes", type: RTM_GETROUTE, flags: NLM_F_DUMP, body };
}

/** The route of the main table that a message tells of; undefined for one of another table. */
export function routeIn({ body }: Message): Route | undefined {
  const attribute = (type: number) => findAttribute(body, type, RTMSG_SIZE);
  const table = numberOf(attribute(RTA_TABLE)) ?? body[4];
  if (table !== RT_TABLE_MAIN) return undefined;
  const destination = attribute(RTA_DST);
  const gateway = attribute(RTA_GATEWAY);
  const index = numberOf(attribute(RTA_OIF));
  return {
    ...destination && { destination },
    prefix: body[1] ?? 0,
    ...gateway && { gateway },
    ...index !== undefined && { index },
  };
}

/**
 * ```c
 * struct rtmsg {
 *   unsigned char rtm_family, rtm_dst_len, rtm_src_len, rtm_tos;
 *   unsigned char rtm_table, rtm_protocol, rtm_scope, rtm_type; unsigned rtm_flags;
 * };
 * ```
 */
function route(family: number, prefix: number): Bytes {
  return new Uint8Array([
    ...[family, prefix, 0, 0],
    ...[RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST],
    ...[0, 0, 0, 0],
  ]);
}
