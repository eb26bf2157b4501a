/**
 * The portable executable where nothing is prepared for it: no busybox, no home, no terminal, no
 * second program but those of a base system.
 */
import assert from "assert";
import { type Ended, type Scratch, test } from "./support/mod.ts";
import { portableCopy } from "./support/portable.ts";

const NEEDS = ["root", "not-vm", "command:busybox", "command:unshare"] as const;
const BUILD_MS = 180_000;
/** As sudo's secure_path. */
const SECURE_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** How the executable is called: with nothing in the environment but what is said. */
interface Call {
  env?: Record<string, string>;
  /** A shell script that ends in `exec "$@"`: what happens to the executable's surroundings. */
  around?: string;
  cwd?: string;
}

/** Runs the executable, which unpacks itself below the test's directory. */
async function portable(t: Scratch, args: readonly string[], call: Call = {}): Promise<Ended> {
  const file = await portableCopy(`${t.directory}/minictr`); // Where every user may read it.
  const words = [file, "--root", t.root, ...args];
  const wrapped = call.around === undefined
    ? words
    : ["unshare", "--mount", "--propagation", "private", "sh", "-euc", call.around, "sh", ...words];
  await using program = t.start(wrapped, {
    clearEnv: true,
    env: { PATH: SECURE_PATH, MINICTR_PROGRAMS: `${t.directory}/programs`, ...call.env },
    ...(call.cwd === undefined ? {} : { cwd: call.cwd }),
    timeoutMs: BUILD_MS,
  });
  return await program.ended;
}

const HELLO = ["run", "--rm", "--network", "none", "echo", "hello"];

test("one file runs a container on a host without busybox, apt or network", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  const around = `for name in busybox apt-get dpkg-deb; do
      for place in /bin /usr/bin /sbin /usr/sbin; do
        [ ! -e $place/$name ] || mount --bind /dev/null $place/$name
      done
    done
    exec unshare --net "$@"`;
  const { code, out, err } = await portable(t, HELLO, { around });
  assert.equal(`${code} ${out}`, "0 hello\n", err);
  const { out: roots } = await portable(t, ["rootfs", "ls", "--json"]);
  assert.match(roots, /"recipe": "busybox"[^]*"source": "shipped with minictr"/);
});

test("an empty environment, as of a service, and sudo's path are enough", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  const { code, out, err } = await portable(t, HELLO, { env: { HOME: "" }, cwd: "/" });
  assert.equal(`${code} ${out}`, "0 hello\n", err);
});

test("the executable runs from a medium that is read-only and noexec, where /tmp is noexec too", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  const medium = `${t.directory}/medium`;
  const around = `mkdir "${medium}"
    mount -t tmpfs tmpfs "${medium}"
    mv "$1" "${medium}/minictr"; shift
    mount -o remount,ro,noexec "${medium}"
    mount -t tmpfs -o noexec tmpfs /run
    exec sh "${medium}/minictr" "$@"`;
  const { code, out, err } = await portable(t, HELLO, { around });
  assert.equal(`${code} ${out}`, "0 hello\n", err);
});

test("programs that are unpacked where nothing may be executed are refused with what to do", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  const programs = `${t.directory}/programs`;
  const around = `mkdir -p "${programs}"; mount -t tmpfs -o noexec tmpfs "${programs}"; exec "$@"`;
  const { code, err } = await portable(t, HELLO, { around });
  assert.equal(code, 125);
  assert.match(err, /noexec.*MINICTR_PROGRAMS/);
});

test("a disk that is full leaves nothing half unpacked", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  const programs = `${t.directory}/programs`;
  const around = `mkdir "${programs}"; mount -t tmpfs -o size=80m tmpfs "${programs}"
    "$@" || echo "status $?"
    ls -A "${programs}"`;
  const { out, err } = await portable(t, ["version"], { around });
  assert.equal(out, "status 125\n", err);
  assert.match(err, /^minictr: cannot unpack into ".*": it needs 250 MB there/m);
});

test("first runs at once all answer, say nothing else, and leave one whole program", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  await portableCopy(`${t.directory}/minictr`);
  const all = await Promise.all([1, 2, 3].map(() => portable(t, ["version"])));
  for (const { code, out, err } of all) {
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.equal(out, all[0]?.out);
  }
  const programs = Array.from(Deno.readDirSync(`${t.directory}/programs`), ({ name }) => name);
  assert.equal(programs.length, 1, programs.join(" "));
  const cache = `${t.directory}/programs/${programs[0]}/cache`;
  const left = Array.from(Deno.readDirSync(cache), ({ name }) => name).sort();
  assert.deepEqual(left, ["hot", "ready", "whole"]);
});

test("a program that the first run needs is named where it is missing", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  const around = `mkdir "${t.directory}/bin"
    for name in sh uname id mktemp tail sha256sum tar find stat ls head tr sed; do
      ln -s "$(command -v $name)" "${t.directory}/bin/$name"
    done
    PATH=${t.directory}/bin exec "$@"`;
  const { code, err } = await portable(t, ["version"], { around });
  assert.equal(code, 125);
  assert.match(err, /^minictr: the first run, which unpacks, needs .* not here: gzip grep\n$/);
});

test("someone who is not root is told so in one line, and nothing is made", {
  requires: [...NEEDS, "command:setpriv"],
  timeoutMs: BUILD_MS,
}, async (t) => {
  await portable(t, ["version"]); // Unpacked by root, for all to use.
  const around = `exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`;
  const { code, out, err } = await portable(t, HELLO, { around });
  assert.equal(`${code} ${out}`, "125 ", err);
  assert.match(err, /^minictr: [^\n]*root[^\n]*\n$/);
  assert.match((await portable(t, ["version"], { around })).out, /^Version: +\d/);
});

test(
  "info tells someone who is not root that it cannot see the containers, not that there are none",
  {
    requires: [...NEEDS, "command:setpriv"],
    timeoutMs: BUILD_MS,
  },
  async (t) => {
    await portable(t, ["create", "--network", "none", "true"]);
    const around = `exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`;
    const { out, err } = await portable(t, ["info"], { around });
    assert.match(out, /^Containers: only root can see them: .*\nRoot filesystems: only root/, err);
    const { out: json } = await portable(t, ["info", "--format", "json"], { around });
    const { Containers, Images } = JSON.parse(json);
    assert.deepEqual([Containers, Images], [null, null]);
  },
);

test("without glibc the executable says what it needs", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  // As on Alpine: the kernel finds no program interpreter for Deno.
  const hidden = "/lib64/ld-linux-x86-64.so.2";
  const root = `${t.directory}/musl`;
  const around = `mkdir -p "${root}"
    cp -a "${t.rootfs}/." "${root}/"
    mkdir -p "${root}/tmp" "${root}/proc" "${root}/dev"
    cp "$1" "${root}/minictr"
    exec chroot "${root}" /bin/sh /minictr version`;
  const { code, err } = await portable(t, [], {
    around,
    env: { MINICTR_PROGRAMS: "/tmp/programs" },
  });
  assert.equal(code, 125, err);
  assert.match(err, /needs glibc/, hidden);
});

/** Bytes that Deno has added to the caches beside the programs since these were made. */
function addedToCache(t: Scratch): number {
  const programs = `${t.directory}/programs`;
  const [{ name = "" } = {}] = Deno.readDirSync(programs);
  return Deno.statSync(`${programs}/${name}/cache/hot/v8_code_cache_v2-wal`).size;
}

test("what starts and ends containers is compiled beforehand, Deno's own modules too", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  const around = 'exec unshare --net sh -c \'ip link set lo up && exec "$@"\' sh "$@"';
  const commands = [
    ["run", "-d", "--name", "one", "-p", "8080:80", "sleep", "100"],
    ["exec", "one", "true"],
    ["ps"],
    ["stop", "-t", "0", "one"],
    ["start", "one"],
    ["rm", "-f", "one"],
    ["run", "--network", "none", "-v", "vol:/data", "true"],
  ];
  for (const command of commands) {
    const { code, err } = await portable(t, command, { around });
    assert.equal(code, 0, err);
    assert.equal(addedToCache(t), 0, command.join(" "));
  }
});

/** Runs a script in a privileged container in which the executable is, and glibc for its Deno. */
async function nested(t: Scratch, script: string, flags: readonly string[] = []): Promise<Ended> {
  await portable(t, ["version"]); // Copies it.
  const all = [
    ...["run", "--rm", "--privileged", "--network", "none", ...flags],
    // glibc is Deno's only need; the rest of the root is the built-in one.
    ...["-v", "/usr/lib:/lib:ro", "-v", "/usr/lib64:/lib64:ro"],
    ...["-v", `${t.directory}/minictr:/usr/bin/minictr:ro`],
    // An overlay has no layer of its own on an overlay.
    ...["--tmpfs", "/var/lib/minictr:exec"],
  ];
  return await portable(t, [...all, "sh", "-c", script]);
}

test("in a privileged container of its own the executable runs containers", {
  requires: NEEDS,
  timeoutMs: BUILD_MS,
}, async (t) => {
  const inner = "minictr run --rm --network none --memory 20m sh -c 'echo nested as $$'";
  const { code, out, err } = await nested(t, inner);
  assert.equal(`${code} ${out}`, "0 nested as 1\n", err);
});

for (const hidden of ["openat2", "clone3"]) {
  test(`where the kernel has no ${hidden}(2), run and doctor say so`, {
    requires: NEEDS,
    timeoutMs: BUILD_MS,
  }, async (t) => {
    const profile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: [hidden], action: "SCMP_ACT_ERRNO", errnoRet: 38 }], // ENOSYS
    };
    await Deno.writeTextFile(`${t.directory}/old.json`, JSON.stringify(profile));
    const inner = "minictr run --network none true; echo run $?; " +
      "minictr doctor >/dev/null; echo doctor $?";
    const flags = ["--security-opt", `seccomp=${t.directory}/old.json`];
    const { out, err } = await nested(t, inner, flags);
    assert.equal(out, "run 125\ndoctor 1\n", err);
    assert.match(err, new RegExp(`^minictr: .*${hidden}.*5\\.12 or later.*minictr doctor`, "m"));
  });
}
