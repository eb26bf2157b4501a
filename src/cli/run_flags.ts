import type { Grammar } from "./grammar.ts";
import { RESOURCES } from "./resource_flags.ts";
import { ENV_FLAGS } from "./pair.ts";

/**
 * The command line of `run`: docker's names and meanings, and podman's where docker has none.
 *
 * A group is a heading of the help text and the name of the mechanism that reads its flags.
 */
export const RUN = {
  command: "run",
  operands: "[IMAGE|ROOTFS] [COMMAND [ARG…]]",
  summary: "Run a command in a new container",
  examples: [
    ["minictr run", "a shell in the built-in root filesystem"],
    ["minictr run sh -c 'ls -l /'", "one command; options end at the first operand"],
    ["minictr run -it --hostname box ./alpine sh", "a directory as the root filesystem"],
    ["minictr run --memory 64m --cpus 0.5 --pids-limit 50 ./alpine sh", "with limits"],
    ["minictr run -v ./src:/src:ro --tmpfs /tmp -w /src ./alpine make", "with mounts"],
    ["minictr run --bundle ./bundle", "an OCI bundle"],
    ["minictr run --explain --read-only ./alpine sh", "only say what would be done"],
  ],
  groups: [
    {
      name: "mode",
      title: "How it runs",
      flags: [
        { name: "detach", short: "d", help: "run in the background and print the id" },
        { name: "interactive", short: "i", help: "keep standard input open" },
        { name: "tty", short: "t", help: "give the container a terminal" },
        { name: "rm", help: "remove the container when it ends" },
        { name: "init", help: "run an init that reaps processes and forwards signals" },
      ],
    },
    {
      name: "container",
      title: "Container",
      flags: [
        { name: "name", value: "NAME", help: "name of the container", default: "made up" },
        { name: "detach-keys", value: "KEYS", help: "that leave it", default: "ctrl-p,ctrl-q" },
        { name: "stop-signal", value: "SIGNAL", help: "signal that stops it", default: "TERM" },
        {
          name: "stop-timeout",
          value: "SECONDS",
          help: "time between that signal and KILL",
          default: "10",
        },
        { name: "timeout", value: "DURATION", help: "kill it after so long, as 90 or 1m30s" },
        { name: "label", short: "l", value: "KEY[=VALUE]", many: true, help: "attach a label" },
        { name: "label-file", value: "FILE", many: true, help: "read labels from a file" },
        {
          name: "annotation",
          value: "KEY=VALUE",
          many: true,
          help: "add an annotation to the OCI spec",
        },
        { name: "cidfile", value: "FILE", help: "write the id to a new file" },
        { name: "pidfile", value: "FILE", help: "write the process id to a file" },
      ],
    },
    {
      name: "lasting",
      title: "In the background",
      flags: [
        {
          name: "restart",
          value: "POLICY",
          help: "start it again: no, always, unless-stopped, on-failure[:N]",
          default: "no",
        },
        { name: "health-cmd", value: "COMMAND", help: "line of sh that checks its health" },
        { name: "health-interval", value: "DURATION", help: "between checks", default: "30s" },
        { name: "health-timeout", value: "DURATION", help: "of a check", default: "30s" },
        { name: "health-retries", value: "N", help: "failures to be unhealthy", default: "3" },
        {
          name: "health-start-period",
          value: "DURATION",
          help: "failures so long after the start do not count",
          default: "0s",
        },
        {
          name: "health-start-interval",
          value: "DURATION",
          help: "between checks during that time",
          default: "5s",
        },
        { name: "no-healthcheck", help: "no health check" },
      ],
    },
    {
      name: "log",
      title: "Log",
      flags: [
        { name: "log-driver", value: "DRIVER", help: "local (or json-file, k8s-file), or none" },
        { name: "log-opt", value: "KEY=VALUE", many: true, help: "max-size=20m, max-file=5, …" },
      ],
    },
    {
      name: "source",
      title: "What is run",
      flags: [
        { name: "rootfs", value: "DIR[:O]", help: "root filesystem; :O keeps it unchanged" },
        { name: "bundle", short: "b", value: "DIR", help: "OCI bundle with config.json" },
        {
          name: "pull",
          value: "WHEN",
          help: "when to fetch an image",
          default: "missing",
          choices: ["always", "missing", "never"],
        },
        { name: "platform", value: "OS/ARCH", help: "variant of an image" },
      ],
    },
    {
      name: "process",
      title: "Process",
      flags: [
        ...ENV_FLAGS,
        { name: "workdir", short: "w", value: "DIR", help: "working directory", default: "/" },
        {
          name: "user",
          short: "u",
          value: "USER[:GROUP]",
          help: "names or numbers",
          default: "root",
        },
        { name: "group-add", value: "GROUP", many: true, help: "add a supplementary group" },
        { name: "entrypoint", value: "COMMAND", help: "replace the image's entry point" },
        { name: "umask", value: "MODE", help: "file mode creation mask", default: "0022" },
        {
          name: "ulimit",
          value: "NAME=SOFT[:HARD]",
          many: true,
          help: "resource limit, -1 for none",
        },
        { name: "oom-score-adj", value: "N", help: "-1000 (spare it) to 1000 (kill it first)" },
        { name: "hostname", short: "h", value: "NAME", help: "host name", default: "the short id" },
        { name: "domainname", value: "NAME", help: "NIS domain name" },
      ],
    },
    {
      name: "files",
      title: "Files and devices",
      flags: [
        {
          name: "volume",
          short: "v",
          value: "SRC:DST[:OPTS]",
          many: true,
          help: "bind a host path or volume",
        },
        {
          name: "mount",
          value: "KEY=VALUE,…",
          many: true,
          help: "mount of type bind, volume or tmpfs",
        },
        {
          name: "volumes-from",
          value: "CONTAINER[:ro]",
          many: true,
          help: "mount what another container has mounted",
        },
        { name: "tmpfs", value: "DST[:OPTS]", many: true, help: "mount a tmpfs" },
        { name: "read-only", help: "mount the root filesystem read-only" },
        { name: "shm-size", value: "SIZE", help: "size of /dev/shm", default: "64m" },
        { name: "device", value: "SRC[:DST][:rwm]", many: true, help: "add a host device" },
        {
          name: "device-cgroup-rule",
          value: "RULE",
          many: true,
          help: "allow devices by number, as 'c 1:3 rwm'",
        },
      ],
    },
    {
      name: "security",
      title: "Security",
      flags: [
        { name: "cap-add", value: "CAP", many: true, help: "add a capability, or ALL" },
        { name: "cap-drop", value: "CAP", many: true, help: "drop a capability, or ALL" },
        { name: "privileged", help: "all capabilities and devices, nothing masked" },
        {
          name: "security-opt",
          value: "OPTION",
          many: true,
          help: "no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined, …",
        },
        {
          name: "sysctl",
          value: "KEY=VALUE",
          many: true,
          help: "sysctl of the container's namespaces",
        },
      ],
    },
    {
      name: "namespaces",
      title: "Namespaces (host, private, container:ID, ns:PATH)",
      flags: [
        { name: "pid", value: "MODE", help: "processes", default: "private" },
        {
          name: "ipc",
          value: "MODE",
          help: "System V IPC, message queues, /dev/shm",
          default: "private",
        },
        { name: "uts", value: "MODE", help: "host name", default: "private" },
        { name: "cgroupns", value: "MODE", help: "control groups", default: "private" },
        { name: "userns", value: "MODE", help: "user ids", default: "host" },
        { name: "uidmap", value: "INSIDE:HOST:SIZE", many: true, help: "map user ids" },
        { name: "gidmap", value: "INSIDE:HOST:SIZE", many: true, help: "map group ids" },
      ],
    },
    {
      name: "network",
      title: "Network",
      flags: [
        {
          name: "network",
          value: "NETWORK",
          many: true,
          help: "none, host, container:ID, ns:PATH, or networks to connect to",
        },
        { name: "net", value: "NETWORK", many: true, help: "as --network", aliasOf: "network" },
        {
          name: "subnet",
          value: "CIDR",
          help: "a network with these addresses, made where it is missing",
        },
        { name: "network-alias", value: "NAME", many: true, help: "further name on the network" },
        {
          name: "publish",
          short: "p",
          value: "[[IP:]HOST:]PORT[/PROTO]",
          many: true,
          help: "publish a port",
        },
        { name: "publish-all", short: "P", help: "publish each exposed port at a free one" },
        { name: "quiet", short: "q", help: "do not say where published ports are reached" },
        { name: "expose", value: "PORT[/PROTO]", many: true, help: "say that a port is served" },
        { name: "add-host", value: "NAME:IP", many: true, help: "line of /etc/hosts" },
        { name: "dns", value: "IP", many: true, help: "name server" },
        { name: "dns-search", value: "DOMAIN", many: true, help: "search domain" },
        { name: "dns-option", value: "OPTION", many: true, help: "option of resolv.conf" },
        { name: "dns-opt", value: "OPTION", many: true, help: "the same", aliasOf: "dns-option" },
        { name: "ip", value: "IP", help: "IPv4 address" },
        { name: "ip6", value: "IP", help: "IPv6 address" },
        { name: "mac-address", value: "MAC", help: "hardware address" },
      ],
    },
    RESOURCES,
    {
      name: "show",
      title: "Only show, or show more",
      flags: [
        { name: "print-spec", help: "print the OCI spec and do nothing" },
        { name: "explain", help: "print each step and do nothing" },
        { name: "trace", help: "print each step with its result and time" },
        { name: "json", help: "print these as JSON" },
      ],
    },
  ],
} as const satisfies Grammar;
