import assert from "assert";
import settings from "../../deno.json" with { type: "json" };
import { VERSION } from "./version.ts";

Deno.test("the program's version is the one in deno.json", () => {
  assert.equal(VERSION, settings.version);
});
