import type { LinuxNamespace, LinuxNamespaceType } from "./types.ts";

/** The sysctls that belong to an IPC namespace; ipc_namespaces(7). */
const IPC_SYSCTLS: readonly string[] = [
  "kernel/msgmax",
  "kernel/msgmnb",
  "kernel/msgmni",
  "kernel/sem",
  "kernel/shmall",
  "kernel/shmmax",
  "kernel/shmmni",
  "kernel/shm_rmid_forced",
];

/**
 * A sysctl's path below /proc/sys: "net.ipv4.ip_forward" and "net/ipv4/ip_forward" are the same,
 * and the first separator decides which of the two it is, as for sysctl(8).
 *
 * Undefined if it is not a plain name: with ".." one could leave /proc/sys.
 */
export function sysctlPath(key: string): string | undefined {
  const dot = key.indexOf("."), slash = key.indexOf("/");
  const dotted = slash < 0 || (dot >= 0 && dot < slash);
  const path = dotted ? key.split(".").map((part) => part.replaceAll("/", ".")).join("/") : key;
  const plain = /^[\w.:@-]+(\/[\w.:@-]+)+$/.test(path);
  return plain && !path.split("/").some((part) => part === "." || part === "..") ? path : undefined;
}

/**
 * What is wrong with setting a sysctl in a container with these namespaces, or undefined.
 *
 * Only what belongs to a namespace that the container does not share with the host is let
 * through; CVE-2022-0811 wrote kernel.core_pattern. A namespace that is joined by path counts as
 * not the host's here: whoever joins it compares.
 */
export function sysctlProblem(
  key: string,
  value: string,
  namespaces: readonly LinuxNamespace[],
): string | undefined {
  const path = sysctlPath(key);
  if (path === undefined) return "is not the name of a sysctl";
  const owner = namespaceOf(path);
  if (owner === undefined) return "belongs to no namespace: it would change the host";
  if (!namespaces.some(({ type }) => type === owner)) {
    return `needs a ${owner} namespace of the container's own: it would change the host`;
  }
  if (!/^[\w \t.,:/-]*$/.test(value)) return `has a value with unusual characters: "${value}"`;
  return undefined;
}

function namespaceOf(path: string): LinuxNamespaceType | undefined {
  if (path.startsWith("net/")) return "network";
  if (path.startsWith("fs/mqueue/") || IPC_SYSCTLS.includes(path)) return "ipc";
  // Not kernel/hostname: that is what `hostname` is for.
  if (path === "kernel/domainname") return "uts";
  return undefined;
}
