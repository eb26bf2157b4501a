import assert from "assert";
import { made } from "../../tests/support/run_spec.ts";
import { UsageError } from "./usage_error.ts";

const REFUSED: [argv: string, says: RegExp][] = [
  ["--name x", /^--name: "x" is not a name/],
  ["--hostname a_b/", /^--hostname: /],
  ["-u 4294967295", /^--user: /],
  ["-u -1", /^--user: /],
  ["-e =x", /^--env: /],
  ["-w tmp", /^--workdir: "tmp" is not an absolute path/],
  ["--umask 1000", /^--umask: /],
  ["--ulimit as=1", /^--ulimit: knows no limit "as"/],
  ["--cap-add SYS_ADMN", /did you mean CAP_SYS_ADMIN/],
  ["--security-opt seccomp", /needs unconfined or a file/],
  ["--security-opt x=y", /^--security-opt: /],
  ["--security-opt label=type:x", /SELinux/],
  ["--sysctl kernel.core_pattern=x", /it would change the host/],
  ["--sysctl kernel.shm_rmid_forced=1+kernel.core_pattern=|/x", /unusual characters/],
  ["--network host --sysctl net.ipv4.ip_forward=1", /needs a network namespace/],
  ["--ipc host --sysctl kernel.msgmax=1", /needs a ipc namespace/],
  ["--pid x", /^--pid: is host, private/],
  ["--pid container:nobody", /^--pid: no running container "nobody"/],
  ["--uts host --hostname x", /exclude each other/],
  ["--userns private", /no ids are set aside/],
  ["--userns host --uidmap 0:1:1", /for a new user namespace/],
  ["--network none --network a", /excludes other networks/],
  ["--network=", /^--network: a name is missing: none, host, /],
  ["--network :ip=10.0.0.2", /^--network: a name is missing/],
  ["--network none --ip 10.0.0.2", /^--ip needs a network.* none$/],
  ["--network none --ip6 fd00::2", /^--ip6 needs a network/],
  ["--network host --mac-address 02:42:0a:00:00:02", /^--mac-address needs a network.* host$/],
  ["--network container:web --network-alias db", /^--network-alias needs a network.*:web$/],
  ["--network ns:/run/netns/x --subnet 10.1.0.0/24", /^--subnet needs a network/],
  ["-p 99999", /^--publish: /],
  ["--add-host box", /^--add-host: "box" is not NAME:IP/],
  ["--add-host box:10.0.0", /^--add-host: "10\.0\.0" is not an IP address/],
  ["--dns 10.0.0.256", /^--dns: "10\.0\.0\.256" is not an IP address/],
  ["--dns resolver", /^--dns: "resolver" is not an IP address/],
  ["-v /x:/proc", /must be procfs/],
  ["-v /x:/proc/sys/kernel", /is below \/proc/],
  ["-v /x:/a/..", /root filesystem itself/],
  ["-v /x:/m --tmpfs /m/", /two mounts on "\/m"/],
  ["-v db:/db", /named volume/],
  ["-v /etc:/e:Z", /must not be relabelled/],
  ["--mount type=bind,src=/a,dst=/b,bind-propagation=shared\\,rw", /unknown option "rw"|knows no/],
  ["--ipc host --shm-size 1m", /not this container's own/],
  ["--device /dev/none", /neither a device nor/],
  ["-m 1x", /^--memory: "1x" is not a size/],
  ["--memory-swap 1g", /needs --memory/],
  ["-m 2g --memory-swap 1g", /not below --memory/],
  ["-m 1g --memory-reservation 2g", /must not be above/],
  ["--cpus 5", /not from 0.01 to 4.00/],
  ["--cpus 1 --cpu-quota 5000", /excludes/],
  ["--cpuset-cpus 3-1", /^--cpuset-cpus: /],
  ["--blkio-weight 5", /^--blkio-weight: /],
  ["--device-read-bps /dev/fuse:1", /not a block device/],
  ["--cgroup-conf ../x=1", /not a cgroup file/],
  ["--cgroup-parent a/../b", /not a path of cgroups/],
  ["--stop-signal NONE", /^--stop-signal: /],
  ["--annotation k", /^--annotation: /],
];

for (const [argv, says] of REFUSED) {
  Deno.test(`run ${argv} is refused`, async () => {
    await assert.rejects(made([...argv.split(" "), "sh"]), (error: unknown) => {
      assert(error instanceof UsageError, String(error));
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  });
}

Deno.test("run with nothing to run is refused", async () => {
  await assert.rejects(made([]), /no command was given/);
});
