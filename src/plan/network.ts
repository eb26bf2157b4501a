import { AF_INET, IFF_UP, SIOCSIFFLAGS, SOCK_CLOEXEC, SOCK_DGRAM } from "../../ffi/constants.ts";
import { call, flags, slot, type Step, step } from "./step.ts";

const IFREQ_SIZE = 40; // Bytes.
const IFF_RUNNING = 0x40;

/** Equivalent to `ip link set lo up`; netdevice(7). */
export function loopbackUp(): Step {
  const socket = slot("socket");
  const request = new Uint8Array(IFREQ_SIZE); // char ifr_name[16]; short ifr_flags;
  request.set([0x6c, 0x6f]); // "lo"
  new DataView(request.buffer).setUint16(16, IFF_UP | IFF_RUNNING, true);
  return step("bring up the loopback interface", [
    call("socket", [flags({ AF_INET }), flags({ SOCK_DGRAM, SOCK_CLOEXEC }), 0], { to: socket }),
    call("ioctl", [socket, flags({ SIOCSIFFLAGS }), request]),
    call("close", [socket]),
  ]);
}
