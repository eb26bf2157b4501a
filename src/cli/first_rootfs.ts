import { ensureBuiltinRootfs } from "../../rootfs/mod.ts";
import { ProgressLine, standardError } from "./progress.ts";

/** Builds the built-in root filesystem, once, when the first container needs it. */
export async function buildFirst(dataRoot: string): Promise<string> {
  const progress = new ProgressLine(standardError());
  try {
    return await ensureBuiltinRootfs(dataRoot, (shown) => progress.show(shown));
  } finally {
    progress.end();
  }
}
