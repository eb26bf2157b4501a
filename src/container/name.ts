const QUALITIES =
  ("able bold brave brisk calm clear clever cool crisp deft eager fair fast fine fond " +
    "fresh glad grand green kind keen light lively lucky merry mild neat nimble noble plain proud " +
    "quick quiet rapid ready sharp shiny slim smart snug solid spry steady still stout sunny swift " +
    "tidy true vivid warm wise witty").split(" ");
const THINGS =
  ("acorn anchor arrow beacon birch brook cedar cliff clover comet cove crane creek dune " +
    "ember falcon fern finch fjord flint grove harbor hazel heron island jetty lagoon lantern larch " +
    "linden maple marsh meadow mesa orchard otter pebble pine plover prairie quartz raven reef ridge " +
    "river robin sparrow spruce summit thicket thrush tundra valley willow wren").split(" ");

/** A name such as "calm_heron_4f2": three hexadecimal digits make it most probably the only one. */
export function madeUpName(): string {
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint16Array(3));
  const digits = (c & 0xfff).toString(16).padStart(3, "0");
  return `${QUALITIES[a % QUALITIES.length]}_${THINGS[b % THINGS.length]}_${digits}`;
}
