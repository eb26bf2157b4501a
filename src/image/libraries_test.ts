import assert from "assert";
import { ldSoConf, librariesOf } from "./libraries.ts";

/** What ldd(1) finds for a program of the host, links resolved; these programs are trusted. */
function judged(path: string): string[] {
  const { stdout } = new Deno.Command("ldd", { args: [path], stderr: "null" }).outputSync();
  const text = new TextDecoder().decode(stdout);
  const paths = [...text.matchAll(/^\s+(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) => match[1] ?? "");
  return [...new Set(paths.map((found) => Deno.realPathSync(found)))].sort();
}

const GLIBC = exists("/usr/bin/ldd") && exists("/etc/ld.so.conf");

for (const name of ["sh", "ls", "ip", "ps", "mount", "apt-get", "grep"]) {
  const path = `/usr/bin/${name}`;
  const reason = !GLIBC ? "no glibc" : exists(path) ? undefined : `no file ${path}`;
  Deno.test({
    name: `librariesOf() finds what ldd finds for ${name}${reason ? ` (skipped: ${reason})` : ""}`,
    ignore: reason !== undefined,
    fn() {
      const { paths, missing } = librariesOf(path);
      assert.deepEqual(missing, []);
      const ours = [...new Set(paths.map((found) => Deno.realPathSync(found)))].sort();
      assert.deepEqual(ours, judged(path));
    },
  });
}

Deno.test("librariesOf() names a library that is nowhere as missing", () => {
  const bytes = Deno.readFileSync("/usr/bin/env");
  const at = indexOf(bytes, "libc.so.6\0");
  assert.ok(at > 0);
  bytes.set(new TextEncoder().encode("libq"), at);
  const path = Deno.makeTempFileSync();
  Deno.writeFileSync(path, bytes);
  assert.deepEqual(librariesOf(path).missing, ["libq.so.6"]);
  Deno.removeSync(path);
});

Deno.test("ldSoConf() follows include patterns in their order, and stops at a circle", () => {
  const directory = Deno.makeTempDirSync();
  Deno.mkdirSync(`${directory}/d`);
  Deno.writeTextFileSync(`${directory}/main.conf`, "/first # comment\ninclude d/*.conf\n/last/\n");
  Deno.writeTextFileSync(`${directory}/d/b.conf`, "/b\n");
  Deno.writeTextFileSync(`${directory}/d/a.conf`, "#/no\n/a\n");
  Deno.writeTextFileSync(`${directory}/d/other`, "/no\n");
  assert.deepEqual(ldSoConf(`${directory}/main.conf`), ["/first", "/a", "/b", "/last"]);
  Deno.writeTextFileSync(`${directory}/circle`, `/x\ninclude ${directory}/circle\n`);
  assert.ok(ldSoConf(`${directory}/circle`).every((path) => path === "/x"));
  assert.deepEqual(ldSoConf(`${directory}/absent`), []);
  Deno.removeSync(directory, { recursive: true });
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function indexOf(bytes: Uint8Array, text: string): number {
  const wanted = new TextEncoder().encode(text);
  return bytes.findIndex((_, i) => wanted.every((byte, j) => bytes[i + j] === byte));
}
