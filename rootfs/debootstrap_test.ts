import assert from "assert";
import { progressReader } from "./debootstrap.ts";
import type { Progress } from "./recipe.ts";

Deno.test("progressReader() counts packages, and knows the total once all are retrieved", () => {
  const seen: Progress[] = [];
  const read = progressReader((progress) => seen.push(progress));
  for (
    const line of [
      "I: Target architecture can be executed",
      "I: Retrieving apt 2.6.1",
      "I: Validating apt 2.6.1",
      "I: Retrieving dash 0.5",
      "I: Validating dash 0.5",
      "I: Extracting dash...",
      "I: Unpacking dash...",
      "I: Unpacking apt...",
      "I: Configuring dash...",
    ]
  ) read(line);
  assert.deepEqual(seen, [
    { step: "retrieving apt", done: 1, unit: "packages" },
    { step: "retrieving dash", done: 2, unit: "packages" },
    { step: "extracting dash", done: 1, unit: "packages", total: 2 },
    { step: "unpacking dash", done: 1, unit: "packages", total: 2 },
    { step: "unpacking apt", done: 2, unit: "packages", total: 2 },
    { step: "configuring dash", done: 1, unit: "packages", total: 2 },
  ]);
});
