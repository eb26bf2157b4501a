import assert from "assert";
import { sessions } from "./console.ts";
import { drawn } from "./picture/svg.ts";
import { ROOT } from "./source.ts";

Deno.test("the picture shows the commands of the README's tour, in their order", () => {
  const [tour = []] = sessions(Deno.readTextFileSync(`${ROOT}README.md`));
  const svg = Deno.readTextFileSync(`${ROOT}docs/tour.svg`);
  const rows = Array.from(svg.matchAll(/^ {2}<text [^>]*>(.*)<\/text>$/gm), ([, row = ""]) => row);
  const shown = rows.filter((row) => row.startsWith('<tspan class="p">$ '))
    .map((row) =>
      row.replaceAll(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
        .replaceAll("&amp;", "&")
    );
  assert.deepEqual(
    shown,
    tour.map(({ command }) => `$ ${command}`.slice(0, 100)),
    "make it again: sudo deno run -A tools/picture.ts",
  );
});

Deno.test("a picture is well formed whatever is printed", () => {
  const svg = drawn('$ echo "<&>"\n<script>\x1b[1mé\n\n' + "x".repeat(250), "a & b");
  assert.ok(!svg.includes("<script") && !svg.includes("\x1b"));
  assert.equal(svg.match(/<text /g)?.length, 6);
  assert.match(svg, /<title>a &amp; b<\/title>/);
});
