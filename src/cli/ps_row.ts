import { readExit } from "../container/definition.ts";
import { readHealth } from "../container/health.ts";
import type { Known, Status } from "../container/list.ts";
import type { Roots } from "../container/mod.ts";
import type { Mount } from "../spec/mod.ts";
import { ago, inWords, listedTime } from "./age.ts";
import type { Listing, Row } from "./output.ts";

const ID_LENGTH = 12, COMMAND_LENGTH = 20, MOUNT_LENGTH = 15;

/** docker's columns. */
export const CONTAINERS: Listing = {
  headings: {
    ID: "CONTAINER ID",
    Image: "IMAGE",
    Command: "COMMAND",
    CreatedAt: "CREATED AT",
    RunningFor: "CREATED",
    State: "STATE",
    Status: "STATUS",
    Ports: "PORTS",
    Names: "NAMES",
    Labels: "LABELS",
    Mounts: "MOUNTS",
    Networks: "NETWORKS",
    LocalVolumes: "LOCAL VOLUMES",
    Size: "SIZE",
  },
  columns: ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"],
  quiet: "ID",
  called: ["Label"],
};

/** A published port, as a lease has it. */
export interface Port {
  hostIp?: string;
  host: number;
  container: number;
  count: number;
  protocol: string;
}

/** A container that is listed, with what is found out about it when it is asked for. */
export interface Candidate {
  known: Known;
  status: Status;
  ports: readonly Port[];
  /** Names of the networks that it is on. */
  networks: readonly string[];
  /** The user's mounts. */
  mounts(): readonly Mount[];
  /** Bytes of its own, and bytes of the root filesystem below; undefined where nobody knows. */
  size(): { own: number; below: number | undefined } | undefined;
}

/** A container by docker's names; each is found out when it is printed. */
export function rowOf(roots: Roots, candidate: Candidate, whole: boolean): Row {
  const { known: { id, name, definition, state }, status, networks } = candidate;
  const created = definition?.created ?? state?.created ?? "";
  const labels = definition?.labels ?? state?.labels ?? {};
  const cut = (text: string, most: number) =>
    whole || text.length <= most ? text : `${text.slice(0, most - 1)}…`;
  return {
    ID: whole ? id : id.slice(0, ID_LENGTH),
    Image: definition?.image ?? state?.image ?? "",
    Command: `"${cut((definition?.command ?? []).join(" "), COMMAND_LENGTH)}"`,
    get CreatedAt() {
      return listedTime(created);
    },
    get RunningFor() {
      return ago(Date.parse(created));
    },
    get Ports() {
      return candidate.ports.map(portText).join(", ");
    },
    State: status,
    get Status() {
      return statusText(roots, candidate);
    },
    Names: name,
    get Labels() {
      return Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(",");
    },
    Label: (key: unknown) => labels[String(key)] ?? "",
    get Mounts() {
      return candidate.mounts().map(({ source = "" }) =>
        cut(volumeName(roots, source) ?? source, MOUNT_LENGTH)
      )
        .join(",");
    },
    Networks: networks.join(","),
    get LocalVolumes() {
      return String(
        candidate.mounts().filter(({ source = "" }) => volumeName(roots, source)).length,
      );
    },
    get Size() {
      const size = candidate.size();
      if (!size) return "";
      const { own, below } = size;
      return below === undefined ? bytes(own) : `${bytes(own)} (virtual ${bytes(own + below)})`;
    },
  };
}

/** The volume whose files lie at a path; undefined for any other. */
export function volumeName({ data }: Roots, source: string): string | undefined {
  const store = `${data}/volumes/`;
  if (!source.startsWith(store)) return undefined;
  return /^([^/]+)\/_data$/.exec(source.slice(store.length))?.[1];
}

/** `0.0.0.0:8080->80/tcp`, `0.0.0.0:8080-8082->80-82/tcp`, as docker prints it. */
function portText({ hostIp = "0.0.0.0", host, container, count, protocol }: Port): string {
  const address = hostIp.includes(":") ? `[${hostIp}]` : hostIp;
  const range = (first: number) => count === 1 ? `${first}` : `${first}-${first + count - 1}`;
  return `${address}:${range(host)}->${range(container)}/${protocol}`;
}

function statusText(roots: Roots, { known: { id, state, definition }, status }: Candidate): string {
  if (status === "running" || status === "paused") {
    const up = `Up ${inWords(Date.now() - Date.parse(state?.startedAt ?? ""))}`;
    if (status === "paused") return `${up} (Paused)`;
    const health = definition?.health && readHealth(roots, id)?.Status;
    return health ? `${up} (${health === "starting" ? "health: starting" : health})` : up;
  }
  // For one that has none it costs as much as all else that is read.
  const exit = readExit(roots, id);
  if (status === "restarting" && exit) return `Restarting (${exit.status}) ${ago(exit.atMs)}`;
  if (status === "exited" && exit) return `Exited (${exit.status}) ${ago(exit.atMs)}`;
  return status === "dead" ? "Dead" : "Created";
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A size with decimal units and three digits, as docker prints it: "1.09MB". */
export function bytes(count: number): string {
  const power = Math.min(
    Math.max(0, Math.floor(Math.log10(Math.max(count, 1)) / 3)),
    UNITS.length - 1,
  );
  return `${Number((count / 1000 ** power).toPrecision(3))}${UNITS[power]}`;
}
