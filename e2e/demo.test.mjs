// `tuber demo`, as a newcomer runs it, watched in real browsers.
import { test } from "node:test";
import assert from "node:assert/strict";
import { run } from "./lib/programs.mjs";
import { chromium, firefox, open, figures, stats, playing, until } from "./lib/browser.mjs";

// noting gathers the hosts of whatever a page asks for.
const noting = (hosts) => async (page) => {
  page.on("request", (r) => {
    const { protocol, hostname } = new URL(r.url());
    if (/^(http|ws)s?:$/.test(protocol)) hosts.add(hostname);
  });
};

test("the demo plays in Chromium and Firefox, through peers", async (t) => {
  const demo = run(t, ["demo", "--listen", "127.0.0.1:0"]);
  const [, page] = await demo.line(/page\s+(http:\S+)/);
  await demo.line(/invite\s+https:\S+\/\.tuber\/join#\S+/);
  await demo.line(/1 booster/);
  const hosts = new Set();
  const prepare = noting(hosts);
  const first = await open(await chromium(t), page, { prepare });
  await playing(first);
  const second = await open(await chromium(t), page, { prepare });
  await playing(second);
  const third = await open(await firefox(t), page, { prepare });
  await playing(third, 1, 60);

  for (const [name, viewer] of [["first", first], ["second", second], ["Firefox", third]]) {
    await until(`${name}: links are open and most bytes come from peers`, 60, async () => {
      const s = await stats(viewer);
      return s && s.links > 0 && s.peers > 1e6 && s;
    });
  }
  await demo.line(/3 tabs of 3 viewers \| 1 booster \| \d+ % from peers/, 30);
  const before = await stats(first);
  await playing(first, 10, 40);
  const after = await stats(first);
  const gained = after.peers - before.peers;
  const all = gained + (after.httpChunks - before.httpChunks) + (after.plain - before.plain);
  assert.ok(gained / all > 0.9, `in steady state ${gained} of ${all} bytes came from peers`);
  for (const [name, viewer] of [["first", first], ["second", second], ["Firefox", third]]) {
    assert.equal((await stats(viewer)).bad, 0);
    assert.equal((await figures(viewer)).stalls, 0, `${name} stalled: ${JSON.stringify(await stats(viewer))}`);
  }
  assert.deepEqual([...hosts], ["localhost"], "the page needs no other host");
});
