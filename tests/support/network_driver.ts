/**
 * Carries out what tests of src/network ask for, in the network namespace that it is started in: a
 * line of JSON in, `[verb, ...arguments]`, a line of JSON out, the result or `{ "error": … }`.
 */
import {
  allLeases,
  connect,
  createNetwork,
  disconnect,
  lockNetworks,
  type NetworkRequest,
  prepareNetwork,
  reloadNetworks,
  removeNetwork,
} from "../../src/network/mod.ts";

const [directory = ""] = Deno.args;
const roots = { run: `${directory}/run`, data: `${directory}/data` };

/** Milliseconds of processor time that this thread has had, whatever else the machine does. */
function busyMs(): number {
  return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
}

/** By verb. */
const VERBS: Record<string, (...given: never[]) => unknown> = {
  async attach(request: NetworkRequest, pid: number) {
    Deno.mkdirSync(`${roots.run}/containers/${request.container}`, { recursive: true });
    const before = busyMs();
    const endpoints = connect(await prepareNetwork(roots, request), { pid });
    return { endpoints, tookMs: busyMs() - before };
  },
  disconnect: (container: string, network?: string) => disconnect(roots, container, network),
  vanish: (container: string) => Deno.removeSync(`${roots.run}/containers/${container}`),
  create: (options: Parameters<typeof createNetwork>[1]) => createNetwork(roots, options),
  remove: (name: string) => removeNetwork(roots, name),
  reload: () => reloadNetworks(roots),
  leases() {
    using _ = lockNetworks(roots);
    return allLeases(roots);
  },
};

const decoder = new TextDecoderStream();
let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(decoder)) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) console.log(JSON.stringify(await answer(line)));
}

async function answer(line: string): Promise<unknown> {
  const [verb, ...given]: [string, ...never[]] = JSON.parse(line);
  try {
    return { result: await VERBS[verb]?.(...given) ?? null };
  } catch (error) {
    const all = error instanceof AggregateError ? [error, ...error.errors] : [error];
    return { error: all.map((one) => one instanceof Error ? one.message : String(one)).join("; ") };
  }
}
