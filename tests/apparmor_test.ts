/** AppArmor's profiles, as the kernel of the virtual machine enforces them. */
import assert from "assert";
import { detached, fails, inspected, ok } from "./support/background.ts";
import { type Scratch, test } from "./support/mod.ts";

/** There only where AppArmor is enabled. */
const FILE = "/proc/thread-self/attr/apparmor/exec";
const requires = ["root", "command:busybox", `file:${FILE}`, "command:apparmor_parser"] as const;

/** A profile that allows all but to read /etc/group, for as long as the test runs. */
async function loaded(t: Scratch): Promise<AsyncDisposable & { name: string }> {
  const name = `minictr-test-${crypto.randomUUID().slice(0, 8)}`;
  const file = `${t.directory}/profile`;
  const rules = "file,\n capability,\n network,\n signal,\n ptrace,\n umount,\n deny /etc/group r,";
  const text = `profile ${name} flags=(attach_disconnected) {\n ${rules}\n}\n`;
  await Deno.writeTextFile(file, text);
  const parser = async (flag: string) => {
    // The parser asks for securityfs in its place; only there, and only for itself.
    const script = `mount -t securityfs securityfs /sys/kernel/security; exec apparmor_parser "$@"`;
    const words = ["--mount", "sh", "-c", script, "sh", "--skip-cache", flag, file];
    const { success, stderr } = await new Deno.Command("unshare", { args: words }).output();
    assert(success, new TextDecoder().decode(stderr));
  };
  await parser("--replace");
  return { name, [Symbol.asyncDispose]: () => parser("--remove") };
}

test("a profile of AppArmor confines the container and what joins it, and nothing else", {
  requires,
}, async (t) => {
  await using profile = await loaded(t);
  const { name } = profile;
  const flag = ["--security-opt", `apparmor=${name}`];
  const confined = `${name} (enforce)`;
  const script = "cat /proc/self/attr/current; cat /etc/group";
  for (const more of [[], ["--init"], ["--pid", "host"], ["--security-opt", "no-new-privileges"]]) {
    const words = ["run", "--rm", "--network", "none", ...flag, ...more, "--rootfs", t.rootfs];
    const { out, err, code } = await t.minictr([...words, "sh", "-c", script]);
    assert.match(err, /^cat: can't open '\/etc\/group': Permission denied\n$/, `${more}`);
    assert.equal(`${out.trim()} ${code}`, `${confined} 1`);
  }
  await detached(t, ["--name", "one", ...flag], ["sleep", "1000"]);
  const { State } = await inspected(t, "one");
  const profileOf = (pid: number) => Deno.readTextFileSync(`/proc/${pid}/attr/current`).trim();
  assert.equal(profileOf(State.Pid), confined);
  assert.equal(profileOf(State.Supervisor), "unconfined");
  assert.equal((await ok(t, "exec", "one", "cat", "/proc/self/attr/current")).trim(), confined);
  await fails(t, 1, "exec", "one", "cat", "/etc/group");
  await ok(t, "rm", "-f", "one");
});

test("a profile that cannot be had is refused before the command starts", {
  requires: ["root", "command:busybox"],
}, async (t) => {
  const run = ["run", "--rm", "--network", "none", "--rootfs", t.rootfs];
  const named = (name: string) => [...run, "--security-opt", `apparmor=${name}`, "true"];
  const isEnabled = await Deno.stat(FILE).then(() => true, () => false);
  const err = await fails(t, 125, ...named("minictr-test-none"));
  assert.match(
    err,
    isEnabled
      ? /^minictr: cannot let AppArmor's profile minictr-test-none .* no profile "minictr-test-none" is loaded; `apparmor_parser -r FILE`/
      : /^minictr: cannot open the file by which AppArmor .*: AppArmor is not enabled on this host/,
  );
  assert.equal(err.trimEnd().split("\n").length, 1);
  await ok(t, ...named("unconfined"));
});
