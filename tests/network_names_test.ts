import assert from "assert";
import { Host } from "./support/network.ts";
import { test } from "./support/mod.ts";

const requires = ["root", "command:nft", "command:ip", "command:python3"] as const;
const options = { requires, timeoutMs: 120_000 };

test(
  "containers of a network list one another in /etc/hosts, those that came later too",
  options,
  async (t) => {
    await using host = await Host.start(t);
    await host.do("create", { name: "front" });
    const hosts = (name: string) => `${t.directory}/root/run/containers/id-${name}/hosts`;
    const start = async (name: string, aliases: string[] = []) => {
      Deno.mkdirSync(hosts(name).replace("/hosts", ""), { recursive: true });
      Deno.writeTextFileSync(hosts(name), `127.0.0.1\tlocalhost\n`);
      await host.container(name, { networks: [{ name: "front", aliases }] });
    };
    await start("web");
    await start("db", ["postgres"]);
    await host.container("stranger");
    const inode = Deno.statSync(hosts("web")).ino;
    assert.match(Deno.readTextFileSync(hosts("web")), /localhost\n#.*\n\S+\tdb postgres\n$/);
    assert.match(Deno.readTextFileSync(hosts("db")), /localhost\n#.*\n\S+\tweb\n$/);
    await host.do("disconnect", "id-db", "front");
    assert.equal(Deno.readTextFileSync(hosts("web")), `127.0.0.1\tlocalhost\n`);
    assert.equal(Deno.readTextFileSync(hosts("db")), `127.0.0.1\tlocalhost\n`);
    assert.equal(Deno.statSync(hosts("web")).ino, inode);
  },
);
