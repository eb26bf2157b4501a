/**
 * The scenes of the demonstration, in the order in which they are played.
 */
import { cgroupFile, cpuTicks } from "./kernel.ts";
import type { Stage } from "./stage.ts";

/** A scene: some commands, and claims about what came of them. */
export interface Scene {
  name: string;
  title: string;
  play(stage: Stage): Promise<void>;
}

const OFFLINE = ["--network", "none"];
const OUT_OF_MEMORY = 137;

/** All scenes. */
export const SCENES: readonly Scene[] = [
  { name: "isolation", title: "A container is alone", play: isolation },
  { name: "network", title: "A server and its client, over a bridge", play: network },
  { name: "memory", title: "A memory hog is stopped at 10 MiB, without swap", play: memory },
  { name: "cpu", title: "A busy loop is held to a quarter of a processor", play: cpu },
  { name: "pids", title: "A fork bomb is held by the limit of processes", play: pids },
  { name: "exec", title: "A further command in a running container", play: exec },
  { name: "stop", title: "Stopped and taken away", play: stop },
];

async function isolation(stage: Stage): Promise<void> {
  stage.say("Its first process is number 1, and sees no others than its own.");
  const ps = await stage.show(["run", "--rm", ...OFFLINE, "ps", "-o", "pid,comm"]);
  stage.check("there is process 1, and no other", /^PID\s+COMMAND\n\s*1 ps$/.test(ps.out));

  stage.say("It has a name of its own; the host keeps its.");
  const before = Deno.hostname();
  const name = await stage.show(["run", "--rm", ...OFFLINE, "--hostname", "box", "hostname"]);
  stage.check('the container is called "box"', name.out === "box");
  stage.check(`the host is still called "${before}"`, Deno.hostname() === before);

  stage.say("It sees files of its own, not the host's.");
  await Deno.writeTextFile(`${stage.directory}/secret`, "the host's secret\n");
  const secret = await stage.show(["run", "--rm", ...OFFLINE, "cat", `${stage.directory}/secret`]);
  stage.check("a file of the host is not there", secret.code === 1 && secret.out === "");
  const written = ["run", "--rm", ...OFFLINE, "sh", "-c", "echo mine >/etc/motd; cat /etc/motd"];
  const first = await stage.show(written);
  const second = await stage.show(["run", "--rm", ...OFFLINE, "ls", "/etc/motd"]);
  stage.check("what one writes, the next does not find", first.out === "mine" && second.code !== 0);

  stage.say("It has a network of its own; here none but the loopback.");
  const links = await stage.show(["run", "--rm", ...OFFLINE, "ls", "/sys/class/net"]);
  stage.check("there is lo, and nothing else", links.out === "lo");
}

async function network(stage: Stage): Promise<void> {
  stage.say("A network is a bridge; containers on it find one another by name.");
  await stage.show(["network", "create", "demo"]);
  const serve = "mkdir /www; echo 'hello from the server' >/www/index.html; " +
    "exec httpd -f -p 80 -h /www";
  await stage.show(["run", "-d", "--name", "server", "--network", "demo", "sh", "-c", serve]);
  const fetch = "for try in 1 2 3 4 5; do wget -qO- http://server/ && exit; sleep 1; done; exit 1";
  const client = await stage.show(["run", "--rm", "--network", "demo", "sh", "-c", fetch]);
  stage.check("the client hears from the server", client.out === "hello from the server");
  await stage.show(["rm", "-f", "server"]);
  await stage.show(["network", "rm", "demo"]);
}

async function memory(stage: Stage): Promise<void> {
  stage.say("tail keeps the last line of /dev/zero, which never ends.");
  const limit = ["--memory", "10m", "--memory-swap", "10m"];
  const hog = await stage.show(["run", "--rm", ...OFFLINE, ...limit, "tail", "/dev/zero"]);
  stage.check("it was killed: exit status 137", hog.code === OUT_OF_MEMORY);
  stage.check("minictr says why", /out of memory.*10485760/.test(hog.err));
}

async function cpu(stage: Stage): Promise<void> {
  stage.say("An endless loop; after four seconds the kernel says how much it has had of them.");
  const flags = ["--cpus", "0.25", "--name", "busy"];
  await stage.show(["run", "-d", ...OFFLINE, ...flags, "sh", "-c", "while :; do :; done"]);
  const pid = await pidOf(stage, "busy");
  const share = await shareOf(pid, 4000);
  stage.check(
    `it had ${(share * 100).toFixed(1)} % of a processor: 25 %, give or take 15 % of that`,
    Math.abs(share - 0.25) <= 0.25 * 0.15,
  );
  await stage.show(["rm", "-f", "busy"]);
}

/** The share of a processor that a process has over some time. */
async function shareOf(pid: number, overMs: number): Promise<number> {
  const [ms, ticks] = [performance.now(), cpuTicks(pid)];
  await new Promise((resolve) => setTimeout(resolve, overMs));
  const msPerTick = 10; // USER_HZ is 100 on all machines that minictr knows.
  return (cpuTicks(pid) - ticks) * msPerTick / (performance.now() - ms);
}

async function pidOf(stage: Stage, name: string): Promise<number> {
  return Number((await stage.run(["inspect", "--format", "{{.State.Pid}}", name])).out);
}

async function pids(stage: Stage): Promise<void> {
  stage.say("Each process makes two more, and they the same.");
  const bomb = "b() { b | b & }; b; exec sleep 100";
  const flags = ["--pids-limit", "20", "--name", "bomb"];
  await stage.show(["run", "-d", ...OFFLINE, ...flags, "sh", "-c", bomb]);
  const refused = await eventually(async () => /max [1-9]/.test(await read(stage, "pids.events")));
  stage.check("forks were refused", refused);
  const count = Number(await read(stage, "pids.current"));
  stage.check(`it has ${count} processes, at most 20`, count <= 20);
  const other = await stage.show(["run", "--rm", ...OFFLINE, "echo", "all is well elsewhere"]);
  stage.check("others do not notice", other.code === 0);
  await stage.show(["rm", "-f", "bomb"]);
}

async function read(stage: Stage, file: string): Promise<string> {
  const pid = await pidOf(stage, "bomb");
  return await Deno.readTextFile(cgroupFile(pid, "pids", file)).catch(() => "");
}

async function exec(stage: Stage): Promise<void> {
  stage.say("The first process sleeps; a second one joins it and looks around.");
  await stage.show(["run", "-d", ...OFFLINE, "--name", "box", "--hostname", "box", "sleep", "100"]);
  const { out } = await stage.show(["exec", "box", "sh", "-c", "hostname; ps -o pid,comm"]);
  stage.check("it is in the same container", /^box\n/.test(out) && /^\s*1 sleep$/m.test(out));
  await stage.show(["rm", "-f", "box"]);
}

async function stop(stage: Stage): Promise<void> {
  stage.say("It does not heed SIGTERM, and so is killed after the second that it is given.");
  const deaf = "trap '' TERM; while :; do sleep 1; done";
  await stage.show(["run", "-d", ...OFFLINE, "--name", "deaf", "sh", "-c", deaf]);
  const stopped = await stage.show(["stop", "-t", "1", "deaf"]);
  stage.check("it was stopped after a second", stopped.code === 0 && stopped.elapsedMs > 900);
  const listed = await stage.show(["ps", "-a"]);
  stage.check("it is listed as ended, by signal 9", /Exited \(137\)/.test(listed.out));
  await stage.show(["rm", "deaf"]);
  const left = await stage.show(["ps", "-aq"]);
  stage.check("nothing is left of it", left.out === "");
}

/** Asks again for up to ten seconds. */
async function eventually(holds: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
