/**
 * docs/doctor.md is made from the probes:
 *
 *     deno run -A src/doctor/page_test.ts --write
 */
import assert from "assert";
import { GROUPS, type Probe } from "./mod.ts";

const PAGE = new URL("../../docs/doctor.md", import.meta.url);

const INTRODUCTION = `# What this host can do: \`minictr doctor\`

\`sudo minictr doctor\` tries, one after the other, what containers need of this host, the way that
a container's start does it: in throw-away children with namespaces of their own, on mounts that
are not attached anywhere, and in one throw-away cgroup. It leaves nothing behind, but that the
kernel may have loaded modules (bridge, veth, nf_tables, overlay).

Each line has a mark: \`✔\` it works, \`!\` containers run, but something of minictr does not
work, \`✘\` containers do not run, \`-\` it was not tried, or is not needed here. Where the locale
is not UTF-8, \`+\` and \`x\` stand for \`✔\` and \`✘\`. Below what is amiss stands what that
means, and the command or the file that mends it.

\`--quiet\` shows only what is amiss. \`--json\` prints a list of
\`{ id, group, what, status, found, consequence, remedy }\`, where \`status\` is \`ok\`, \`warn\`, \`fail\` or \`skip\`. The exit
status is 0 when containers can run here, 1 when something that they need fails, 125 for a wrong
command line. Without root it says what it could not try, and ends with 1, since \`run\` needs root.

The checks, by their \`id\`; one marked _needed_ fails where it is lacking, the others warn.`;

/** The page, not yet wrapped. */
function page(): string {
  const sections = GROUPS.map(({ title, probes }) =>
    [`## ${title}`, ...probes.map(section)].join("\n\n")
  );
  return [INTRODUCTION, ...sections].join("\n\n") + "\n";
}

function section({ id, what, how, consequence, remedy, essential }: Probe): string {
  const needed = essential ? " _Needed._" : "";
  return `### \`${id}\`: ${markdown(what)}\n\n${markdown(how)}.${needed}\n\n` +
    `- Without it: ${markdown(consequence)}.\n- Remedy: ${markdown(remedy)}`;
}

/** Characters that Markdown would take for its own; what stands in backquotes stays. */
function markdown(text: string): string {
  return text.split("`").map((part, index) =>
    index % 2 === 0 ? part.replace(/[*<>]/g, "\\$&") : part
  )
    .join("`");
}

/** How lines are wrapped is deno fmt's. */
function words(text: string): string {
  return text.split(/\s+/).join(" ").trim();
}

if (import.meta.main && Deno.args.includes("--write")) {
  Deno.writeTextFileSync(PAGE, page());
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", PAGE.pathname] }).output();
}

Deno.test("docs/doctor.md says what the probes say", () => {
  const hint = "write it anew: deno run -A src/doctor/page_test.ts --write";
  assert.equal(words(Deno.readTextFileSync(PAGE)), words(page()), hint);
});

Deno.test("no two probes have the same id, and all are in kebab-case", () => {
  const ids = GROUPS.flatMap(({ probes }) => probes.map(({ id }) => id));
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(ids.filter((id) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)), []);
});

Deno.test("every probe says how, what it means and what to do, without a full stop", () => {
  const all = GROUPS.flatMap(({ probes }) => probes);
  const texts = all.flatMap(({ how, consequence, remedy }) => [how, consequence, remedy]);
  assert.deepEqual(texts.filter((text) => text.trim() === "" || /\.$|\s{2}/.test(text)), []);
});
