/** minictr as a job of an interactive shell. */
import assert from "assert";
import { test } from "./support/mod.ts";

const requires = ["root", "command:busybox", "command:python3", "command:bash"] as const;
const SHELL = ["bash", "--norc", "--noprofile", "-i"];

for (const flags of [[], ["-i"]]) {
  test(`Ctrl-Z stops run ${flags} and fg continues it`, { requires }, async (t) => {
    const script = "echo begun; read line </gate; echo over";
    const root = await t.ownRootfs();
    await t.start(["mkfifo", `${root}/gate`]).ended;
    const words = t.runWords([...flags, "--rootfs", root], ["sh", "-c", script]);
    await using terminal = t.onTerminal(SHELL);
    await terminal.type(`${words.map((word) => `'${word}'`).join(" ")}\r`);
    await terminal.until(/^begun/m);
    await terminal.type("\x1a");
    await terminal.until(/Stopped/);
    await terminal.type(`echo go > ${root}/gate; jobs; echo asked\r`); // The container goes on.
    await terminal.until(/Stopped[^]*Stopped[^]*^asked/m);
    assert.doesNotMatch(terminal.shown, /^over/m);
    await terminal.type("fg\r");
    await terminal.until(/^over[^]*# /m); // What is typed before belongs to the container.
    await terminal.type("exit $?\r");
    assert.equal((await terminal.ended).code, 0);
  });
}

test(
  "run -i behind another job stops when somebody types, as any reader does",
  { requires },
  async (t) => {
    const words = t.runWords(["-i"], ["sh", "-c", "echo begun; cat"]);
    await using terminal = t.onTerminal(SHELL);
    await terminal.type(`${words.map((word) => `'${word}'`).join(" ")} &\r`);
    await terminal.until(/begun$/m);
    // The second line is for whoever reads first, and the shell does not, for two seconds.
    await terminal.type("sleep 2; jobs\r\n");
    await terminal.until(/Stopped/);
    await terminal.until(/Stopped[^]*# $/);
    await terminal.type("fg\r");
    await terminal.until(/fg[^]*echo begun; cat'/);
    await terminal.type("typed\r");
    await terminal.until(/^typed$[^]*^typed$/m); // By the terminal, and by cat.
    await terminal.type("\x04");
    await terminal.until(/^typed$[^]*# $/m);
    await terminal.type("exit 3\r");
    assert.equal((await terminal.ended).code, 3);
  },
);
