/** Networks: what a bridge for containers is made of, and the host's rules for forwarding. */
import {
  AF_NETLINK,
  CLONE_NEWNET,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SyscallError,
} from "../../ffi/mod.ts";
import { call, room, slot } from "../plan/step.ts";
import { type Finding, type Group, lack, ok, type Probe, refused } from "./check.ts";
import type { Host } from "./host.ts";
import { FORWARD_POLICY, IP_FORWARD } from "./forwarding.ts";
import { errorIn, messagesIn, newBridge, newNatTable, newVeth } from "./netlink_message.ts";

const NETLINK_ROUTE = 0, NETLINK_NETFILTER = 12;

export const NETWORK: Group = {
  title: "Network",
  probes: [
    inThrowAwayNetwork(
      "bridge",
      "makes a bridge",
      "Containers get no network but none and host",
      "modprobe bridge, or boot a kernel with CONFIG_BRIDGE",
      NETLINK_ROUTE,
      () => newBridge("doctor0"),
    ),
    inThrowAwayNetwork(
      "veth",
      "makes a pair of veth",
      "Containers get no network but none and host",
      "modprobe veth, or boot a kernel with CONFIG_VETH",
      NETLINK_ROUTE,
      () => newVeth("doctor1", "doctor2"),
    ),
    inThrowAwayNetwork(
      "nf-tables",
      "makes a table with a chain of type nat",
      "Containers do not reach beyond the host, and no port can be published",
      "modprobe -a nf_tables nft_chain_nat nft_masq nft_ct, or boot a kernel with CONFIG_NF_TABLES",
      NETLINK_NETFILTER,
      () => newNatTable("doctor"),
    ),
    IP_FORWARD,
    FORWARD_POLICY,
    {
      id: "bridge-netfilter",
      what: "firewall rules within a bridge",
      how: "Reads net.bridge.bridge-nf-call-iptables",
      consequence:
        "Where it is 1, packets between containers of one bridge go through the host's " +
        "rules for forwarding too",
      remedy: "sysctl -w net.bridge.bridge-nf-call-iptables=0, where that is not wanted",
      look: (host) => {
        const value = host.text("/proc/sys/net/bridge/bridge-nf-call-iptables");
        return ok(value === "1" ? "they hold" : "they do not hold");
      },
    },
  ],
};

function inThrowAwayNetwork(
  id: string,
  does: string,
  consequence: string,
  remedy: string,
  protocol: number,
  request: () => Uint8Array,
): Probe {
  return {
    id,
    what: id,
    how: `A throw-away child in a network namespace of its own ${does}, by netlink`,
    consequence,
    remedy,
    root: true,
    look: (host) => askInChild(host, protocol, request()),
  };
}

/** Two answers at most are looked at: an error of the first message, and of the last. */
function askInChild(host: Host, protocol: number, request: Uint8Array): Finding {
  const socket = slot("socket"), answers = [room("answer", 1024), room("answer", 1024)];
  const { error, bytes } = host.try([
    call("socket", [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol], { to: socket }),
    call("sendto", [socket, request, request.length, 0, 0, 0]),
    ...answers.map((answer) =>
      call("recvfrom", [socket, answer, answer.size, MSG_DONTWAIT, 0, 0], {
        on: [{ errno: "EAGAIN", goto: "next" }],
      })
    ),
  ], { namespaces: { CLONE_NEWNET } });
  if (error) return refused(error);
  const errno = errorIn(answers.flatMap((answer) => messagesIn(bytes(answer))));
  if (errno === undefined) return lack("the kernel did not answer");
  return errno === 0 ? ok("one was made") : refused(new SyscallError("netlink", errno));
}
