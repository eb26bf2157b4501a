import { allLeases, type Endpoint, type Network, readNetwork } from "../network/mod.ts";
import type { Roots } from "../container/mod.ts";
import { listedTime } from "./age.ts";
import type { Listing, Row } from "./output.ts";

/** The columns of `network ls`: docker's, without an id, and with the subnets. */
export const NETWORKS: Listing = {
  headings: {
    ID: "NETWORK ID",
    Name: "NAME",
    Driver: "DRIVER",
    Scope: "SCOPE",
    Internal: "INTERNAL",
    IPv4: "IPV4",
    IPv6: "IPV6",
    Subnets: "SUBNETS",
    CreatedAt: "CREATED AT",
  },
  columns: ["Name", "Driver", "Scope", "Subnets"],
  quiet: "Name",
};

/** A network by docker's names; its name is its id. */
export function networkRow({ name, subnets, internal, created }: Network): Row {
  const has = (sign: string) => String(subnets.some(({ subnet }) => subnet.includes(sign)));
  return {
    ID: name,
    Name: name,
    Driver: "bridge",
    Scope: "local",
    Internal: String(internal),
    IPv4: has("."),
    IPv6: has(":"),
    Subnets: subnets.map(({ subnet }) => subnet).join(", "),
    CreatedAt: listedTime(created),
  };
}

/** What `inspect` prints of a network; undefined where there is none of that name. */
export function described(roots: Roots, name: string): Row | undefined {
  const network = readNetwork(roots, name);
  if (!network) return undefined;
  const { bridge, subnets, internal, mtu, created } = network;
  const endpoints = allLeases(roots).filter((lease) => lease.network === name);
  return {
    Name: network.name,
    Id: network.name,
    Created: created,
    Scope: "local",
    Driver: "bridge",
    EnableIPv4: subnets.some(({ subnet }) => subnet.includes(".")),
    EnableIPv6: subnets.some(({ subnet }) => subnet.includes(":")),
    IPAM: {
      Driver: "default",
      Config: subnets.map(({ subnet, gateway, range }) => ({
        Subnet: subnet,
        Gateway: gateway,
        ...range === undefined ? {} : { IPRange: range },
      })),
    },
    Internal: internal,
    Interface: bridge,
    Containers: Object.fromEntries(endpoints.map((one) => [one.container, member(one)])),
    Options: mtu === undefined ? {} : { mtu: String(mtu) },
    Labels: {},
  };
}

function member({ name, mac, addresses }: Endpoint): Row {
  return {
    Name: name,
    MacAddress: mac,
    IPv4Address: addresses.find((address) => address.includes(".")) ?? "",
    IPv6Address: addresses.find((address) => address.includes(":")) ?? "",
  };
}

/** `NetworkSettings` of a container, as docker's `inspect` has it. */
export function networkSettings(roots: Roots, id: string): Row {
  const endpoints = allLeases(roots).filter(({ container }) => container === id);
  const [first] = endpoints;
  return {
    IPAddress: split(first, ".").address,
    GlobalIPv6Address: split(first, ":").address,
    MacAddress: first?.mac ?? "",
    Ports: portMap(endpoints),
    Networks: Object.fromEntries(endpoints.map((one) => [one.network, placeOn(roots, one)])),
  };
}

function placeOn(roots: Roots, endpoint: Endpoint): Row {
  const subnets = readNetwork(roots, endpoint.network)?.subnets ?? [];
  const gateway = (sign: string) =>
    subnets.find(({ subnet }) => subnet.includes(sign))?.gateway ?? "";
  const [four, six] = [split(endpoint, "."), split(endpoint, ":")];
  return {
    NetworkID: endpoint.network,
    MacAddress: endpoint.mac,
    IPAddress: four.address,
    IPPrefixLen: four.prefix,
    Gateway: gateway("."),
    GlobalIPv6Address: six.address,
    GlobalIPv6PrefixLen: six.prefix,
    IPv6Gateway: gateway(":"),
    Aliases: endpoint.aliases,
    Interface: endpoint.interface,
  };
}

function split(endpoint: Endpoint | undefined, sign: string): { address: string; prefix: number } {
  const found = endpoint?.addresses.find((address) => address.includes(sign)) ?? "";
  const [address = "", prefix = 0] = found.split("/");
  return { address, prefix: Number(prefix) };
}

function portMap(endpoints: readonly Endpoint[]): Row {
  const map: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (
    const { hostIp = "0.0.0.0", host, container, count, protocol } of endpoints.flatMap((
      { ports },
    ) => ports)
  ) {
    for (let at = 0; at < count; at++) {
      (map[`${container + at}/${protocol}`] ??= []).push({
        HostIp: hostIp,
        HostPort: String(host + at),
      });
    }
  }
  return map;
}
