/**
 * Ten containers at once.
 */
import { executable } from "./contenders.ts";
import type { Comparison } from "./table.ts";

const COUNT = 10;

/** How long ten starts take that are begun at the same time. */
export const MANY: Comparison = {
  name: "many",
  title: `Many: ${COUNT} containers at once, each runs \`/bin/true\``,
  mostRounds: 10,
  contenders(bench) {
    const { bundle } = bench;
    const { file, env } = executable(bench);
    const ten = (line: string) => [
      "sh",
      "-c",
      `bundle=$1 file=$2; pids=; for n in $(seq ${COUNT}); do ${line} & pids="$pids $!"; done
       for pid in $pids; do wait $pid || exit 1; done`,
      "sh",
      bundle,
      file,
    ];
    return [
      { name: "runc", words: ten('runc run -b "$bundle" minictr-bench-many-$$-$n') },
      { name: "minictr", words: ten('"$file" run --bundle "$bundle"'), env },
      { name: "crun", words: ten('crun run -b "$bundle" minictr-bench-many-$$-$n') },
    ];
  },
};
