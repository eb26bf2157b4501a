/** Networks: what a bridge for containers is made of, and the host's rules for forwarding. */
import {
  AF_NETLINK,
  AT_FDCWD,
  CLONE_NEWNET,
  MSG_DONTWAIT,
  O_CLOEXEC,
  O_WRONLY,
  SOCK_CLOEXEC,
  SOCK_RAW,
  syscall,
  SyscallError,
  trySyscall,
} from "../../ffi/mod.ts";
import { call, room, slot } from "../plan/step.ts";
import { type Finding, type Group, lack, ok, type Probe, refused, skip, warn } from "./check.ts";
import type { Host } from "./host.ts";
import {
  errorIn,
  forwardChainsIn,
  listChains,
  type Message,
  messagesIn,
  newBridge,
  newNatTable,
  newVeth,
} from "./netlink_message.ts";
import { opened } from "./trial.ts";

const NETLINK_ROUTE = 0, NETLINK_NETFILTER = 12;
const NLMSG_DONE = 3;

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
    {
      id: "ip-forward",
      what: "forwarding",
      how: "Reads net.ipv4.ip_forward, and opens it for writing where it is 0",
      consequence: "Containers on a bridge do not reach beyond the host",
      remedy: "sysctl -w net.ipv4.ip_forward=1",
      look: forwarding,
    },
    {
      id: "forward-policy",
      what: "policy for forwarded packets",
      how: "Asks nf_tables for chains at the forward hook whose policy is drop; those of " +
        "iptables-legacy cannot be seen that way",
      consequence: "Packets from and to containers on a bridge are dropped, as after docker was " +
        "started on the host",
      remedy: "nft add rule ip filter FORWARD iifname BRIDGE accept, and the same with oifname",
      root: true,
      look: forwardPolicy,
    },
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

function forwarding(host: Host): Finding {
  const file = "/proc/sys/net/ipv4/ip_forward";
  const value = host.text(file);
  if (value === undefined) return skip(`"${file}" cannot be read`);
  if (value === "1") return ok("on");
  if (!host.isRoot) return skip("off; root can turn it on");
  try {
    using _ = opened("openat", AT_FDCWD, file, O_WRONLY | O_CLOEXEC, 0);
    return ok("off; it can be turned on when a network needs it");
  } catch (error) {
    return lack(`off, and it cannot be turned on: ${refused(error).found}`);
  }
}

function forwardPolicy(host: Host): Finding {
  const chains = forwardChainsIn(chainsOfHost());
  const [dropping] = chains.filter(({ drops }) => drops);
  const legacy = host.text("/proc/net/ip_tables_names")?.split("\n").includes("filter") ?? false;
  if (dropping) {
    const rule = (side: string) => `nft add rule ${dropping.name} ${side} BRIDGE accept`;
    return warn(
      `chain "${dropping.name}" drops what no rule of it accepts`,
      `${rule("iifname")}; ${rule("oifname")}`,
    );
  }
  const seen = chains.length === 0 ? "no chain" : `${chains.length} of nf_tables, none drops`;
  return ok(legacy ? `${seen}; iptables-legacy has rules: iptables-legacy -S FORWARD` : seen);
}

/** All chains of this network namespace. */
function chainsOfHost(): Message[] {
  const messages: Message[] = [];
  using socket = opened("socket", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  const request = listChains();
  syscall("sendto", socket.number, request, request.length, 0, 0, 0);
  const MOST = 1000; // Answers; each holds many chains.
  for (let answer = 0; answer < MOST; answer++) {
    const bytes = new Uint8Array(32_768);
    const length = trySyscall("recvfrom", socket.number, bytes, bytes.length, MSG_DONTWAIT, 0, 0);
    if (length <= 0) break;
    const some = messagesIn(bytes.subarray(0, length));
    messages.push(...some);
    const error = errorIn(some);
    if (error) throw new SyscallError("netlink", error);
    if (some.some(({ type }) => type === NLMSG_DONE)) break;
  }
  return messages;
}
