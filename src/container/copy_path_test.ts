import assert from "assert";
import {
  baseOf,
  containerPath,
  CopyError,
  type CopyTarget,
  parentOf,
  type Place,
  placeOf,
} from "./copy_path.ts";

const file = (path: string) => ({ path, isDirectory: false });
const folder = (path: string) => ({ path, isDirectory: true });
const target = (path: string, kind: CopyTarget["kind"]): CopyTarget => ({ path, kind });

/** docker's table of cases, in its order. */
const CASES: readonly [string, Parameters<typeof placeOf>, Place | RegExp][] = [
  ["a file to nothing", [file("a"), target("d/x", "missing")], { in: "parent", name: "x" }],
  [
    "a file to a directory that is not there",
    [file("a"), target("x/", "missing")],
    /does not exist/,
  ],
  ["a file over a file", [file("a"), target("x", "other")], { in: "parent", name: "x" }],
  ["a file into a directory", [file("s/a"), target("x", "directory")], { in: "target", name: "a" }],
  ["a directory to nothing", [folder("s/a"), target("x", "missing")], { in: "parent", name: "x" }],
  ["a content to nothing", [folder("s/."), target("x/", "missing")], { in: "parent", name: "x" }],
  ["a directory over a file", [folder("a"), target("x", "other")], /over "x", which is none/],
  ["a directory into another", [folder("s/a/"), target("x", "directory")], {
    in: "target",
    name: "a",
  }],
  ["a content into another", [folder("s/a/."), target("x", "directory")], {
    in: "target",
    name: undefined,
  }],
  ["the root into a directory", [folder("/"), target("x", "directory")], {
    in: "target",
    name: undefined,
  }],
  [
    "a file that claims to be a directory",
    [file("a/"), target("x", "directory")],
    /not a directory/,
  ],
  ["a file as a directory's name", [file("a"), target("x/", "other")], /"x\/" is not a directory/],
];

for (const [name, args, wanted] of CASES) {
  Deno.test(`cp: ${name}`, () => {
    if (wanted instanceof RegExp) {
      assert.throws(
        () => placeOf(...args),
        (error) => error instanceof CopyError && wanted.test(error.message),
      );
    } else assert.deepEqual(placeOf(...args), wanted);
  });
}

Deno.test("the last name and the directory of a path are what stands there", () => {
  assert.deepEqual(["/a/b", "/a/b/", "b/.", "/", ".", "..", "a/.."].map(baseOf), [
    ...["b", "b", "b", "", "", "", ""],
  ]);
  assert.deepEqual(["/a/b", "/a/b/", "b/.", "/a", "b"].map(parentOf), ["/a", "/a", ".", "/", "."]);
});

Deno.test("a path of the host's is told from a container's", () => {
  assert.deepEqual(containerPath("web:/etc"), { container: "web", path: "/etc" });
  assert.deepEqual(containerPath("web:a:b"), { container: "web", path: "a:b" });
  for (const text of ["/a:b", "./a:b", "../a:b", "a", "a/b:c", ":x", "-"]) {
    assert.equal(containerPath(text), undefined, text);
  }
});
