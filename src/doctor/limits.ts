/** Limits and settings of the host that containers run into, and the clock. */
import { type Finding, type Group, ok, skip, warn } from "./check.ts";
import type { Host } from "./host.ts";
import { hardLimit, swapBytes } from "./text.ts";

const FILES = 4096, FILES_DEFAULT = 524_288, PROCESSES = 4096;
const INOTIFY = 128, WATCHES = 8192, KEYS = 200, TERMINALS = 256;
const EARLIEST = Date.UTC(2025, 0), LATEST = Date.UTC(2100, 0);

export const LIMITS: Group = {
  title: "Limits",
  probes: [
    {
      id: "open-files",
      what: "open files",
      how: `Reads the hard limit in /proc/self/limits; less than ${FILES} is little`,
      consequence: `Containers get this hard limit where it is lower than ${FILES_DEFAULT}, the ` +
        "usual one, since it cannot be raised without CAP_SYS_RESOURCE",
      remedy: `ulimit -Hn ${FILES_DEFAULT}; in a systemd unit: LimitNOFILE=${FILES_DEFAULT}`,
      look: openFiles,
    },
    setting(
      "process-ids",
      "process ids",
      "kernel/pid_max",
      PROCESSES,
      "Starts and forks fail with EAGAIN",
    ),
    setting(
      "threads",
      "threads",
      "kernel/threads-max",
      PROCESSES,
      "Starts and forks fail with EAGAIN",
    ),
    setting(
      "inotify-instances",
      "inotify instances of a user",
      "fs/inotify/max_user_instances",
      INOTIFY,
      "Programs in containers that watch files fail: all containers of a user share this",
    ),
    setting(
      "inotify-watches",
      "inotify watches of a user",
      "fs/inotify/max_user_watches",
      WATCHES,
      "Programs in containers that watch files fail: all containers of a user share this",
    ),
    setting(
      "keys",
      "kernel keys of a user",
      "kernel/keys/maxkeys",
      KEYS,
      "Programs that keep keys fail: all containers of a user share this, and each has a keyring",
    ),
    setting("terminals", "pseudoterminals", "kernel/pty/max", TERMINALS, "run -t and exec -t fail"),
    {
      id: "foreign-programs",
      what: "programs of other architectures",
      how: "Reads /proc/sys/fs/binfmt_misc for handlers with the flag F, which work in containers",
      consequence: "Images of other architectures do not run (exec format error)",
      remedy: "apt install qemu-user-static",
      look: foreignPrograms,
    },
    {
      id: "swap",
      what: "swap",
      how: "Reads /proc/swaps",
      consequence: "--memory-swap limits nothing more than --memory",
      remedy: "swapon FILE, where swap is wanted",
      look: (host) => {
        const bytes = swapBytes(host.text("/proc/swaps") ?? "");
        return ok(bytes === 0 ? "none" : `${Math.round(bytes / 1024 ** 2)} MiB`);
      },
    },
    {
      id: "clock",
      what: "the clock",
      how: "Looks whether it shows a year from 2025 to 2099",
      consequence: "Certificates of registries and mirrors are refused; logs show wrong times",
      remedy: "date -s 'YYYY-MM-DD HH:MM:SS', or a time service: timedatectl set-ntp true",
      look: () => {
        const now = Date.now();
        const shown = new Date(now).toISOString();
        return now >= EARLIEST && now < LATEST ? ok(shown) : warn(`it shows ${shown}`);
      },
    },
  ],
};

function openFiles(host: Host): Finding {
  const hard = hardLimit(host.text("/proc/self/limits") ?? "", "Max open files");
  if (hard === undefined) return skip("/proc/self/limits does not tell");
  return hard >= FILES ? ok(`${hard} at most`) : warn(`${hard} at most`);
}

/** A number below /proc/sys that should not be less than another. */
function setting(id: string, what: string, file: string, least: number, consequence: string) {
  const name = file.replaceAll("/", ".");
  return {
    id,
    what,
    how: `Reads ${name}; less than ${least} is little`,
    consequence,
    remedy: `sysctl -w ${name}=${least * 8}`,
    look: (host: Host): Finding => {
      const value = host.text(`/proc/sys/${file}`);
      if (value === undefined) return skip(`/proc/sys/${file} cannot be read`);
      return Number(value) >= least ? ok(value) : warn(`${value}, less than ${least}`);
    },
  };
}

function foreignPrograms(host: Host): Finding {
  const directory = "/proc/sys/fs/binfmt_misc";
  let names: string[] = [];
  try {
    names = Array.from(Deno.readDirSync(directory), ({ name }) => name);
  } catch {
    // Not mounted, or not in this kernel: no handlers.
  }
  const handlers = names.filter((name) =>
    /^flags: .*F/m.test(host.text(`${directory}/${name}`) ?? "")
  );
  const only = `only those of ${Deno.build.arch}`;
  return ok(handlers.length === 0 ? only : handlers.sort().join(", "));
}
