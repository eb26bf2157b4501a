import assert from "assert";
import type { Check, Status } from "./check.ts";
import { canRun, isUnicodeLocale, reportText, summary } from "./report.ts";

function checkOf(status: Status, group = "Kernel", found = "found it"): Check {
  const remedy = status === "ok" || status === "skip" ? "" : "mend it";
  const consequence = "Nothing works";
  return { id: "id", group, what: "what", status, found, consequence, remedy };
}

Deno.test("each heading is printed once, and each check below it in a line", () => {
  const text = reportText([checkOf("ok"), checkOf("skip"), checkOf("ok", "Limits")], true);
  assert.equal(
    text,
    `Kernel
  ✔ what: found it
  - what: found it

Limits
  ✔ what: found it

2 ok, 1 not tried: minictr can run containers here`,
  );
});

Deno.test("what is amiss has its meaning and its remedy below it", () => {
  assert.equal(
    reportText([checkOf("warn"), checkOf("fail")], true),
    `Kernel
  ! what: found it
      Nothing works.
      Remedy: mend it
  ✘ what: found it
      Nothing works.
      Remedy: mend it

1 warning, 1 failure: minictr cannot run containers here`,
  );
});

Deno.test("without Unicode no byte is above 127", () => {
  const checks = [checkOf("ok", "Kernel", "/dätä"), checkOf("fail"), checkOf("warn")];
  assert.match(reportText(checks, false), /^[\n -~]*$/);
  assert.match(reportText(checks, false), /^ {2}\+ .*\n {2}x .*/m);
});

Deno.test("a name from outside cannot steer the terminal", () => {
  const text = reportText([checkOf("ok", "Kernel", "a\x1b[2Jb\nc")], true);
  assert.ok(text.includes("found it") === false && text.includes("a [2Jb c"), text);
});

Deno.test("a warning does not keep containers from running, a failure does", () => {
  assert.equal(canRun([checkOf("warn"), checkOf("skip")]), true);
  assert.equal(canRun([checkOf("ok"), checkOf("fail")]), false);
});

Deno.test("where only some are shown, all are summed up", () => {
  const text = reportText([checkOf("warn")], true, [checkOf("ok"), checkOf("warn")]);
  assert.ok(text.endsWith("\n\n1 ok, 1 warning: minictr can run containers here"), text);
  assert.equal(summary([checkOf("ok")]), reportText([], true, [checkOf("ok")]));
});

Deno.test("LC_ALL counts before LC_CTYPE, and that before LANG", () => {
  const locale = (env: Record<string, string>) => isUnicodeLocale((name) => env[name]);
  assert.equal(locale({ LANG: "de_DE.UTF-8" }), true);
  assert.equal(locale({ LANG: "de_DE.utf8", LC_ALL: "C" }), false);
  assert.equal(locale({ LANG: "C", LC_CTYPE: "C.UTF-8", LC_ALL: "" }), true);
  assert.equal(locale({}), false);
});
