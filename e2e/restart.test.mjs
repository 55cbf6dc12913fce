// The host restarts under viewers who keep their pages open: a new epoch, so
// other contents under the same addresses, and the same booster and viewers.
import { test } from "node:test";
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { boosted, flowing } from "./lib/crowd.mjs";

// freePort is one that nobody has: the host must come back where it was.
const freePort = () => new Promise((resolve) => {
  const s = createServer().listen(0, "127.0.0.1", () => {
    const { port } = s.address();
    s.close(() => resolve(port));
  });
});

for (const signal of ["SIGINT", "SIGKILL"]) {
  test(`a host that comes back after ${signal}: booster and viewers take the stream up by themselves`, async (t) => {
    const s = await site(t);
    const [port, control] = [await freePort(), await freePort()];
    const args = ["--listen", `127.0.0.1:${port}`, "--control-listen", `127.0.0.1:${control}`, "--udp-listen", `:${port}`];
    const first = await host(t, s, { args });
    await boosted(t, first);
    const pages = [];
    for (let i = 0; i < 2; i++) {
      const page = await open(await chromium(t), first.page, { before: recordResponses });
      await playing(page, 1, 40);
      pages.push(page);
    }
    for (const page of pages) await flowing(page);
    const [before] = (await first.state()).contents;

    await first.stop(signal);
    const again = await host(t, s, { args: [...args, "--state", first.dir] });
    await until("booster and viewers are back", 20, async () => {
      const { boosters, viewers } = await again.state();
      return boosters === 1 && viewers === 2;
    });
    const had = await Promise.all(pages.map(stats));
    for (const [i, page] of pages.entries()) {
      await until("chunks come from peers again", 15, async () => (await stats(page)).peers > had[i].peers + 5e5);
    }
    const [after] = (await again.state()).contents;
    assert.equal(after.url, before.url);
    assert.notEqual(after.id, before.id, "the content is another one");

    // From here on it is as it was: segments and playlists come through peers.
    for (const page of pages) await playing(page, 4, 20);
    const settled = await Promise.all(pages.map(stats));
    for (const page of pages) await playing(page, 10, 25);
    for (const [i, page] of pages.entries()) {
      const now = await stats(page);
      assert.ok(now.plain - settled[i].plain < 1000, `${now.plain - settled[i].plain} bytes of plain HTTP in 10 s`);
      assert.deepEqual(now.wanted, [after.id]);
      assert.equal((await figures(page)).stalls, 0, "nobody stalls");
      const { checked, wrong } = await wrongSegments(page, s);
      assert.ok(checked > 8, `${checked} segments were checked`);
      assert.deepEqual(wrong, []);
    }
  });
}
