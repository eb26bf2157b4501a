import assert from "assert";
import fc from "fast-check";
import { parseDeb822, parseSourcesList, sourceFor } from "./apt_sources.ts";

const LIST = `# deb http://commented.example/ no main
deb [arch=amd64 signed-by=/keys/a.gpg] http://mirror.example/debian bookworm main contrib # why
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
`;

const STANZAS = `Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /keys/b.gpg

Types: deb
URIs: http://off.example/
Suites: off
Enabled: no

Types: deb
URIs:
 http://one.example/
 http://two.example/
Suites: sid
Components: main
`;

Deno.test("parseSourcesList() reads binary sources with their options, and no comments", () => {
  assert.deepEqual(parseSourcesList(LIST), [
    {
      uri: "http://mirror.example/debian",
      suites: ["bookworm"],
      components: ["main", "contrib"],
      signedBy: "/keys/a.gpg",
    },
    { uri: "http://mirror.example/debian", suites: ["bookworm-updates"], components: ["main"] },
  ]);
});

Deno.test("parseDeb822() reads stanzas with continued lines, and none that is switched off", () => {
  const sources = parseDeb822(STANZAS);
  assert.deepEqual(sources.map(({ uri }) => uri), [
    "http://mirror.example/debian",
    "http://one.example/",
    "http://two.example/",
  ]);
  assert.deepEqual(sources[0]?.suites, ["trixie", "trixie-updates"]);
  assert.equal(sources[0]?.signedBy, "/keys/b.gpg");
});

Deno.test("sourceFor() takes the suite's own source, else a whole archive and no updates", () => {
  const sources = [...parseSourcesList(LIST).reverse(), ...parseDeb822(STANZAS)];
  assert.equal(sourceFor("sid", sources)?.uri, "http://one.example/");
  assert.deepEqual(sourceFor("buster", sources)?.suites, ["bookworm"]);
  assert.equal(sourceFor("buster", []), undefined);
});

Deno.test("parseSourcesList() and parseDeb822() give a list for any text", () => {
  const word = fc.constantFrom(
    "deb",
    " ",
    "\n",
    "[",
    "]",
    "URIs:",
    "Types: deb",
    "#",
    "x",
    "\n\n",
    ":",
  );
  fc.assert(fc.property(fc.array(word).map((words) => words.join("")), (text) => {
    assert.ok(Array.isArray(parseSourcesList(text)) && Array.isArray(parseDeb822(text)));
  }));
});
