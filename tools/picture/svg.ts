/**
 * A terminal's text as an SVG picture that needs no font, script or style of elsewhere.
 */

const COLUMNS = 100;
const WIDTH = 8.4, HEIGHT = 19, FONT_SIZE = 14;
const MARGIN = 16, BAR = 30;
const COLORS = { ground: "#1b1f24", bar: "#2d333b", text: "#cdd9e5", prompt: "#6cb6ff" };

/** The picture of `text`, in which a line with "$ " in front is what somebody typed. */
export function drawn(text: string, title: string): string {
  const lines = text.trimEnd().split("\n").flatMap(folded);
  const width = Math.round(COLUMNS * WIDTH + 2 * MARGIN);
  const height = Math.round(lines.length * HEIGHT + BAR + 2 * MARGIN);
  const rows = lines.map((line, index) => {
    const y = Math.round(BAR + MARGIN + (index + 0.75) * HEIGHT);
    return `  <text x="${MARGIN}" y="${y}">${spans(line)}</text>`;
  });
  const [first, second, third] = [18, 38, 58].map((x) =>
    `  <circle cx="${x}" cy="${BAR / 2}" r="6" fill="#545d68"/>`
  );
  return `${
    [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" role="img" font-size="${FONT_SIZE}" ` +
      `font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace">`,
      `  <title>${escaped(title)}</title>`,
      `  <style>text { fill: ${COLORS.text}; white-space: pre } .p { fill: ${COLORS.prompt} }</style>`,
      `  <rect width="${width}" height="${height}" rx="8" fill="${COLORS.ground}"/>`,
      `  <rect width="${width}" height="${BAR}" rx="8" fill="${COLORS.bar}"/>`,
      ...[first, second, third],
      ...rows,
      "</svg>",
    ].join("\n")
  }\n`;
}

function spans(line: string): string {
  if (!line.startsWith("$ ")) return escaped(line);
  return `<tspan class="p">$ </tspan>${escaped(line.slice(2))}`;
}

/** A line as the terminal breaks it. */
function folded(line: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < line.length || at === 0; at += COLUMNS) {
    parts.push(line.slice(at, at + COLUMNS));
  }
  return parts;
}

function escaped(text: string): string {
  // What steers a terminal has no place in XML; each other character stands for itself.
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, "").replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
