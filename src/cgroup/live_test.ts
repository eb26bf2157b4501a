import assert from "assert";
import { until } from "../../tests/support/background.ts";
import { test } from "../../tests/support/mod.ts";
import {
  cgroupDirectories,
  cgroupOf,
  freeze,
  isFrozen,
  killAll,
  planCgroup,
  prepare,
  processIds,
  readStatistics,
  remove,
  thaw,
} from "./mod.ts";
import {
  file,
  host,
  outcome,
  pause,
  root,
  start,
  untilProcesses,
  withCgroup,
} from "./scratch_cgroup_test.ts";

test(
  "a frozen cgroup uses no CPU time until it is thawed",
  root,
  (t) =>
    withCgroup(t, { cpu: { quota: 20000, period: 100000 } }, async (path) => {
      const child = start(path, "sh", "-c", "while :; do :; done");
      await untilProcesses(path, 1);
      const usage = () => readStatistics(host, path).cpu?.usageUs ?? 0;
      assert.equal(isFrozen(host, path), false);
      freeze(host, path);
      assert.equal(isFrozen(host, path), true);
      const before = usage();
      await pause(300);
      assert.equal(usage(), before);
      thaw(host, path);
      assert.equal(isFrozen(host, path), false);
      await pause(300);
      assert.ok(usage() > before, `${usage()} is not above ${before}`);
      killAll(host, path);
      assert.equal((await outcome(child)).code, 137);
    }),
);

test(
  "killAll ends a fork bomb that runs, keeping the limit on processes",
  root,
  (t) =>
    withCgroup(t, { pids: { limit: 2000 } }, async (path) => {
      const script = "f() { while :; do f & sleep 0.05; done; }; f 2>/dev/null";
      const bomb = start(path, "sh", "-c", script);
      // Twice as many each 50 ms: far from the limit, so that none has failed yet.
      await until(() => processIds(host, path).length, (count) => count > 4);
      assert.ok(processIds(host, path).length > 4);
      killAll(host, path);
      assert.deepEqual(processIds(host, path), []);
      await bomb.output();
      assert.equal(file(path, "pids.max"), "2000");
    }),
);

test(
  "killAll ends what is frozen at two levels, and remove takes all away",
  root,
  (t) =>
    withCgroup(t, {}, async (path) => {
      prepare(planCgroup(host, `${path}/below`, {}));
      const child = start(`${path}/below`, "sleep", "100");
      await untilProcesses(path, 1);
      freeze(host, `${path}/below`);
      freeze(host, path);
      killAll(host, path);
      assert.deepEqual(processIds(host, path), []);
      assert.equal((await outcome(child)).code, 137);
      remove(host, path);
      for (const directory of cgroupDirectories(host, path)) {
        assert.throws(() => Deno.statSync(directory), Deno.errors.NotFound);
      }
    }),
);

test(
  "what is gone has no processes, no statistics, and can be killed and removed again",
  root,
  (t) =>
    withCgroup(t, {}, (path) => {
      remove(host, path);
      remove(host, path);
      killAll(host, path);
      assert.deepEqual(processIds(host, path), []);
      assert.deepEqual(readStatistics(host, path), {});
      assert.equal(isFrozen(host, path), false);
      assert.throws(() => freeze(host, path), /cannot freeze the cgroup ".*": there is no "/);
    }),
);

test(
  "remove says for each hierarchy who is still inside",
  root,
  (t) =>
    withCgroup(t, {}, async (path) => {
      const child = start(path, "sleep", "100");
      const [id] = await untilProcesses(path, 1);
      assert.throws(() => remove(host, path, 50), (error) => {
        assert.ok(error instanceof AggregateError);
        assert.equal(error.errors.length, cgroupDirectories(host, path).length);
        assert.match(error.message, new RegExp(`EBUSY; in it: ${id} \\(\\w+, state [RSD]\\)`));
        return true;
      });
      assert.throws(() => prepare(planCgroup(host, path)), new RegExp(`processes already .${id}`));
      killAll(host, path);
      await child.output();
    }),
);

test(
  "cgroupOf follows a process that moved itself further down, in version 2",
  root,
  (t) =>
    withCgroup(t, {}, async (path) => {
      prepare(planCgroup(host, `${path}/below`, {}));
      const child = start(`${path}/below`, "sleep", "100");
      const [id = 0] = await untilProcesses(`${path}/below`, 1);
      assert.equal(cgroupOf(host, path, id), host.version === 2 ? `${path}/below` : path);
      assert.equal(cgroupOf(host, path, Deno.pid), path);
      killAll(host, path);
      await child.output();
    }),
);
