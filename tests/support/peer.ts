/**
 * runc under the flags of `minictr run` that the tests use, to test the tests:
 *
 *     MINICTR="deno run -A tests/support/peer.ts" deno task test tests/isolation_test.ts
 *
 * runc's own exit codes and messages differ, and so does what it leaves after a SIGKILL.
 */

/** The parts of config.json that flags change; `runc spec` writes the rest. */
interface Config {
  hostname: string;
  root: { path: string; readonly: boolean };
  process: {
    terminal: boolean;
    args: string[];
    cwd: string;
    env: string[];
    noNewPrivileges: boolean;
    user: { uid: number; gid: number; additionalGids?: number[] };
    capabilities: Record<string, string[]>;
    rlimits: { type: string; soft: number; hard: number }[];
  };
  linux: {
    cgroupsPath: string;
    maskedPaths: string[];
    seccomp?: { defaultAction: string; architectures: string[]; syscalls: unknown[] };
    resources: {
      devices: unknown;
      memory?: { limit?: number; swap?: number };
      cpu?: { quota: number; period: number };
      pids?: { limit: number };
    };
  };
}

/** What the flags say besides the configuration. */
interface Run {
  config: Config;
  name: string;
  pidFile?: string;
  isInteractive: boolean;
}

const DOCKER_CAPABILITIES =
  "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP " +
  "SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE";

const FLAGS: Record<string, (run: Run, value: string) => void> = {
  "--network": () => {},
  "--name": (run, value) => {
    run.name = value;
    run.config.linux.cgroupsPath = `/${value}`;
  },
  "--rootfs": ({ config }, value) => config.root.path = value,
  "--hostname": ({ config }, value) => config.hostname = value,
  "--pidfile": (run, value) => run.pidFile = value,
  "--cpus": ({ config }, value) =>
    config.linux.resources.cpu = { quota: Number(value) * 100_000, period: 100_000 },
  "--memory": ({ config }, value) => config.linux.resources.memory = { limit: bytes(value) },
  "--memory-swap": ({ config: { linux } }, value) =>
    linux.resources.memory = { ...linux.resources.memory, swap: bytes(value) },
  "--pids-limit": ({ config }, value) => config.linux.resources.pids = { limit: Number(value) },
  "--ulimit": ({ config }, value) => {
    const [, name = "", soft, hard] = /^(\w+)=(\d+):(\d+)$/.exec(value) ?? [];
    const type = `RLIMIT_${name.toUpperCase()}`;
    config.process.rlimits = [{ type, soft: Number(soft), hard: Number(hard) }];
  },
  "-w": ({ config }, value) => config.process.cwd = value,
  "-e": ({ config }, value) => config.process.env.push(value),
  "-u": ({ config }, value) => {
    const [uid = 0, gid = 0] = value.split(":").map(Number);
    config.process.user = value === "alice"
      ? { uid: 1000, gid: 1000, additionalGids: [29, 100] }
      : { uid, gid };
    for (const set of ["effective", "permitted"]) config.process.capabilities[set] = [];
  },
};

const SWITCHES: Record<string, (run: Run) => void> = {
  "--rm": () => {},
  "-i": (run) => run.isInteractive = true,
  "-t": ({ config }) => config.process.terminal = true,
  "-it": (run) => {
    run.isInteractive = true;
    run.config.process.terminal = true;
  },
  "--read-only": ({ config }) => config.root.readonly = true,
};

async function main([, root = "", , ...words]: readonly string[]): Promise<number> {
  const bundle = `${root}/bundle-${Deno.pid}`;
  Deno.mkdirSync(bundle, { recursive: true });
  new Deno.Command("runc", { args: ["spec", "--bundle", bundle] }).outputSync();
  const run: Run = { config: initial(bundle), name: "", isInteractive: false };
  run.config.process.args = apply(words, run);
  Deno.writeTextFileSync(`${bundle}/config.json`, JSON.stringify(run.config));
  const pidFile = run.pidFile === undefined ? [] : ["--pid-file", run.pidFile];
  const child = new Deno.Command("runc", {
    args: ["--root", `${root}/runc`, "run", ...pidFile, "--bundle", bundle, run.name],
    stdin: run.isInteractive ? "inherit" : "null",
  }).spawn();
  for (const signal of ["TERM", "HUP", "INT", "QUIT", "USR1", "USR2", "WINCH"] as const) {
    Deno.addSignalListener(`SIG${signal}`, () => child.kill(`SIG${signal}`));
  }
  return (await child.status).code;
}

function initial(bundle: string): Config {
  const config: Config = JSON.parse(Deno.readTextFileSync(`${bundle}/config.json`));
  const capabilities = DOCKER_CAPABILITIES.split(" ").map((name) => `CAP_${name}`);
  for (const set of ["bounding", "effective", "permitted"]) {
    config.process.capabilities[set] = capabilities;
  }
  config.process.capabilities["ambient"] = [];
  config.process.terminal = false;
  config.root.readonly = false;
  config.linux.seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls: [{ names: ["reboot"], action: "SCMP_ACT_ERRNO" }],
  };
  return config;
}

/** Applies the flags and returns the command. */
function apply(words: readonly string[], run: Run): string[] {
  let at = 0;
  while (words[at]?.startsWith("-")) {
    const word = words[at] ?? "";
    const flag = FLAGS[word];
    if (flag === undefined && SWITCHES[word] === undefined) throw new Error(`no flag ${word}`);
    SWITCHES[word]?.(run);
    flag?.(run, words[at + 1] ?? "");
    at += flag === undefined ? 1 : 2;
  }
  return words.slice(at);
}

function bytes(text: string): number {
  const unit = { k: 1024, m: 1024 ** 2 }[text.slice(-1)] ?? 1;
  return parseInt(text) * unit;
}

Deno.exit(await main(Deno.args));
