import assert from "assert";
import { ARCH, AT_FDCWD, Fd, O_CLOEXEC, O_PATH, syscall } from "../../ffi/mod.ts";
import { assemble, type Failure, resultOf, runHere } from "../stage/mod.ts";
import { type Call, call, slot, step } from "./step.ts";
import { ensureTarget, type TargetKind } from "./target.ts";

const ENOTDIR = 20;

/** A directory to be the root of a container, beside one that is outside of it. */
class Place implements Disposable {
  readonly #directory = Deno.makeTempDirSync();
  readonly root = `${this.#directory}/root`;
  readonly outside = `${this.#directory}/outside`;

  constructor() {
    Deno.mkdirSync(this.root);
    Deno.mkdirSync(this.outside);
  }

  /** Carries ensureTarget's calls out; returns where the target's descriptor leads. */
  ensure(path: string, kind: TargetKind, change = (calls: Call[]) => calls): string | Failure {
    using root = new Fd(syscall("openat", AT_FDCWD, this.root, O_PATH | O_CLOEXEC, 0));
    const rootSlot = slot("root"), to = slot("target");
    const program = assemble([
      step("have the root", [call("add", [root.number, 0], { to: rootSlot })]),
      step("ensure", change(ensureTarget(rootSlot, path, kind, to))),
    ], { base: "here", arch: ARCH });
    const failure = runHere(program);
    if (failure) return failure;
    using target = new Fd(resultOf(program, to));
    return Deno.readLinkSync(`/proc/self/fd/${target.number}`).replace(this.#directory, "");
  }

  /** All that is in the two directories. */
  list(directory = this.#directory): string[] {
    return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
      const path = `${directory}/${name}`;
      return [path.slice(this.#directory.length), ...isDirectory ? this.list(path) : []];
    }).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

const PARTS = ["a", "b", "c", "d", "e"];

for (let depth = 1; depth <= 5; depth++) {
  const path = `/${PARTS.slice(0, depth).join("/")}`;
  for (const kind of ["directory", "file"] as const) {
    Deno.test(`ensureTarget() makes the ${kind} ${path}, whatever of it is there`, () => {
      for (let there = 0; there < depth; there++) {
        using place = new Place();
        if (there > 0) {
          const before = `${place.root}/${PARTS.slice(0, there).join("/")}`;
          Deno.mkdirSync(before, { recursive: true });
        }
        assert.equal(place.ensure(path, kind), `/root${path}`);
        assert.equal(Deno.lstatSync(place.root + path).isDirectory, kind === "directory");
        assert.equal(place.ensure(path, kind), `/root${path}`, "the second time it is there");
      }
    });
  }
}

Deno.test("ensureTarget() makes directories that all may enter and files that all may read", () => {
  using place = new Place();
  const mask = Deno.umask(0);
  try {
    place.ensure("/a/b", "directory");
    place.ensure("/a/c", "file");
  } finally {
    Deno.umask(mask);
  }
  const mode = (path: string) => (Deno.statSync(place.root + path).mode ?? 0) & 0o7777;
  assert.deepEqual([mode("/a"), mode("/a/b"), mode("/a/c")], [0o755, 0o755, 0o644]);
});

Deno.test("ensureTarget() takes slashes as they come, and the root for nothing at all", () => {
  using place = new Place();
  assert.equal(place.ensure("//a//b/", "directory"), "/root/a/b");
  assert.equal(place.ensure("/", "directory"), "/root");
});

Deno.test("ensureTarget() follows a link of the image inside the root, never out of it", () => {
  using place = new Place();
  Deno.mkdirSync(`${place.root}/real`);
  Deno.symlinkSync("/real", `${place.root}/absolute`);
  Deno.symlinkSync("../../../real", `${place.root}/above`);
  assert.equal(place.ensure("/absolute/x", "directory"), "/root/real/x");
  assert.equal(place.ensure("/above/y", "file"), "/root/real/y");
});

Deno.test("ensureTarget() makes nothing outside, wherever links of the image lead", () => {
  for (const path of ["/link", "/link/a", "/a/link/b", "/a/link"]) {
    for (const kind of ["directory", "file"] as const) {
      using place = new Place();
      Deno.mkdirSync(`${place.root}/a`);
      for (const at of ["link", "a/link"]) {
        Deno.symlinkSync(`${place.outside}/missing`, `${place.root}/${at}`);
      }
      place.ensure(path, kind);
      assert.deepEqual(place.list().filter((made) => made.startsWith("/outside/")), []);
    }
  }
});

Deno.test("ensureTarget() refuses a file where a directory is needed", () => {
  using place = new Place();
  Deno.writeTextFileSync(`${place.root}/a`, "");
  const failure = place.ensure("/a/b", "directory");
  assert.ok(typeof failure === "object" && failure.errno === ENOTDIR);
});

/** Lets somebody put a link to `outside` where the directory `name` is about to be made. */
function linkFirst(calls: Call[], name: string, outside: string): Call[] {
  return calls.flatMap((one) => {
    const [parent, made] = one.args;
    if (one.name !== "mkdirat" || made !== name || parent === undefined) return [one];
    const { id, ...rest } = one;
    return [{ ...call("symlinkat", [outside, parent, name]), ...id ? { id } : {} }, rest];
  });
}

for (
  const [path, name] of [["/a/b/c", "a"], ["/a/b/c", "b"], ["/a/b/c", "c"], ["/a", "a"]] as const
) {
  Deno.test(`ensureTarget() refuses a link that is put at "${name}" of ${path} meanwhile`, () => {
    using place = new Place();
    const failure = place.ensure(
      path,
      "directory",
      (calls) => linkFirst(calls, name, place.outside),
    );
    assert.ok(typeof failure === "object" && failure.errno === ENOTDIR, `${failure}`);
    assert.deepEqual(place.list().filter((made) => made.startsWith("/outside/")), []);
  });
}
