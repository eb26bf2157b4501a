import assert from "assert";
import fc from "fast-check";
import { execute, FUNCTIONS, parseTemplate, TemplateError } from "./mod.ts";

const DATA = {
  ID: "0123456789ab",
  Names: "web",
  Labels: { "com.example.tier": "front", a: "1" },
  Label: (key: unknown) => (key === "a" ? "1" : ""),
  State: { Status: "running", ExitCode: 0, Pid: 42, Running: true, Health: null },
  Mounts: [{ Name: "one", Destination: "/a" }, { Name: "two", Destination: "/b" }],
  Args: ["-c", 'echo <hi> & "x"'],
  Share: 0.5,
};

const said = (template: string, data: unknown = DATA) =>
  execute(parseTemplate(template), data, FUNCTIONS);

const EXAMPLES: readonly [template: string, text: string][] = [
  ["{{.Names}} is {{.State.Status}}", "web is running"],
  ["{{json .Args}}", '["-c","echo <hi> & \\"x\\""]'],
  [
    "{{.Args}} {{.State.Running}} {{.State.Health}} {{.Share}}",
    '[-c echo <hi> & "x"] true <nil> 0.5',
  ],
  ["{{.Labels}}", "map[a:1 com.example.tier:front]"],
  ['{{index .Labels "com.example.tier"}}{{index .Labels "none"}}', "front"],
  ['{{.Label "a"}}', "1"],
  ["{{.Labels.a}} {{.Labels.none}}", "1 <no value>"],
  ["{{range .Mounts}}{{.Name}}:{{.Destination}} {{end}}", "one:/a two:/b "],
  ["{{range $i, $m := .Mounts}}{{$i}}={{$m.Name}};{{end}}", "0=one;1=two;"],
  ["{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}", "a=1 com.example.tier=front "],
  ["{{range .State.Health}}x{{else}}none{{end}}", "none"],
  ["{{range .Mounts}}{{if eq .Name `two`}}{{break}}{{end}}{{.Name}}{{end}}", "one"],
  ["{{range .Mounts}}{{if eq .Name `one`}}{{continue}}{{end}}{{.Name}}{{end}}", "two"],
  ["{{if .State.Running}}up{{else}}down{{end}}", "up"],
  ["{{if .State.ExitCode}}bad{{else if .State.Pid}}pid{{else}}none{{end}}", "pid"],
  ["{{with .State}}{{.Pid}} of {{$.Names}}{{end}}", "42 of web"],
  ["{{with .State.Health}}{{.Status}}{{else}}none{{end}}", "none"],
  ["{{(index .Mounts 1).Name}}", "two"],
  ["{{$x := .Names}}{{if true}}{{$x = `db`}}{{end}}{{$x}}", "db"],
  ["{{upper .Names}} {{lower `ABC`}} {{title `a bc`}}", "WEB abc A Bc"],
  ['{{join .Args "+"}} {{split "a,b" ","}}', '-c+echo <hi> & "x" [a b]'],
  ["{{truncate .ID 4}}|{{pad .Names 1 2}}|", "0123| web  |"],
  ['{{printf "%-5s|%5d|%05.1f|%q|%x|%%" .Names 7 2.25 "a" 255}}', 'web  |    7|002.3|"a"|ff|%'],
  [
    '{{printf "%d" .Names}} {{printf "%s"}} {{printf "a" 1}}',
    "%!d(string=web) %!s(MISSING) a%!(EXTRA int=1)",
  ],
  ['{{println "a" 1}}{{print 1 2 "a" "b" 3}}', "a 1\n1 2ab3"],
  ["{{len .Mounts}} {{len .Names}} {{len .Labels}}", "2 3 2"],
  ["{{slice .ID 0 3}}", "012"],
  ['{{.Names | printf "%s-%s" "my" | upper}}', "MY-WEB"],
  ["{{and 1 0 2}} {{or 0 `` 3}} {{not .State.Running}}", "0 3 false"],
  ["{{eq .Names `a` `web`}} {{ne 1 2}} {{lt 1 2}} {{ge `b` `c`}}", "true true true false"],
  ["{{or .Names (index .Mounts 99)}}", "web"],
  ["a {{- /* gone */ -}} b\n{{- 1 -}}\n c", "ab1c"],
  ['{{"a\\tb\\u00e9"}}{{`c\\t`}}', "a\tbéc\\t"],
  ["{{/* only a comment */}}", ""],
];

for (const [template, text] of EXAMPLES) {
  Deno.test(`a template ${JSON.stringify(template)} says ${JSON.stringify(text)}`, () => {
    assert.equal(said(template), text);
  });
}

const MISTAKES: readonly [template: string, problem: RegExp][] = [
  ["{{.State.Statsu}}", /column 3: "\.State" has no field "Statsu": there are Status, ExitCode/],
  ["{{.names.Names}} {{.ID.X}}", /column 20: "\.ID" is 0123456789ab, which has no field "X"/],
  [
    "ab {{.State.pid}}{{.State.PID}}",
    /column 20: "\.State" has no field "PID": did you mean "Pid"/,
  ],
  ["{{.ID", /column 1: "\{\{" without "\}\}"/],
  ["{{if .ID}}x", /column 3: "if" without "\{\{end\}\}"/],
  ["x{{end}}", /column 4: "\{\{end\}\}" without a beginning/],
  ["{{if .ID}}{{else}}{{else}}{{end}}", /"else" without/],
  ["{{nope .ID}}", /column 3: there is no function "nope"; there are and, eq/],
  ["{{upper}}", /"upper" takes 1 arguments, not 0/],
  ["{{upper 1}}", /column 3: upper: 1 is no text/],
  ["{{index .Mounts 2}}", /2 is outside of a list of 2/],
  ['{{"abc}}', /column 3: ""abc" is a string that does not end/],
  ["{{.ID .Names}}", /this is no function/],
  ["{{$x}}", /there is no variable "\$x"/],
  ["{{range .ID}}{{end}}", /cannot range over/],
  ["{{break}}", /"break" outside of a range/],
  ["{{(.ID}}", /"\(" without "\)"/],
  ["{{.ID)}}", /column 6: "\)" behind the pipeline/],
  ["{{}}", /column 3: a value is needed here/],
  ['{{template "x"}}', /"template" is not known here/],
  [`${"{{if 1}}".repeat(300)}${"{{end}}".repeat(300)}`, /nested too deep/],
];

for (const [template, problem] of MISTAKES) {
  Deno.test(`a template ${JSON.stringify(template.slice(0, 40))} is refused with its place`, () => {
    assert.throws(
      () => said(template),
      (error) =>
        error instanceof TemplateError && problem.test(error.message) || assert.fail(String(error)),
    );
  });
}

Deno.test("a template without actions says itself", () => {
  fc.assert(fc.property(fc.string().filter((text) => !text.includes("{{")), (text) => {
    assert.equal(said(text), text);
  }));
});

Deno.test("any text in quotes is said as it is", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(said(`{{print ${JSON.stringify(text)}}}`), text);
  }));
});

Deno.test("whatever json prints is the value again", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.deepEqual(
      JSON.parse(said("{{json .X}}", { X: value })),
      JSON.parse(JSON.stringify(value)),
    );
  }));
});

Deno.test("a template is carried out or refused with its place, whatever it is", () => {
  const pieces = fc.constantFrom(
    ...[
      "{{",
      "}}",
      "{{-",
      " -}}",
      "if",
      "range",
      "end",
      "else",
      "with",
      ".ID",
      ".",
      "$",
      "$x",
      ":=",
    ],
    ...["|", "(", ")", '"a"', "`", "1", "index", "printf", "json", "eq", " ", "\n", ",", "=", "\\"],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 24 }), (parts) => {
      try {
        said(parts.join(""));
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        assert.match(error.message, /^at column \d+: /);
      }
    }),
    { numRuns: 3000 },
  );
});
