// A master playlist of three renditions, played by real hls.js with its own
// choice of rendition on: each is a content, and viewers move up and down.
import { test } from "node:test";
import assert from "node:assert/strict";
import { host } from "./lib/host.mjs";
import { figures, stats, playing, until } from "./lib/browser.mjs";
import { wrongSegments } from "./lib/bytes.mjs";
import { boosted } from "./lib/crowd.mjs";
import { renditionsSite } from "./lib/forms.mjs";
import { levels, squeezed, viewer } from "./lib/squeezed.mjs";

const names = ["low", "mid", "high"];
const level = async (page) => (await levels([page]))[0];
const loaded = (page) => page.evaluate(() => window.seenSegments.map(([path]) => path.split("/")[2]));

test("each rendition is a content of its own, and a viewer moves between them without a stall", async (t) => {
  const s = await renditionsSite(t);
  const h = await host(t, s);
  await boosted(t, h);
  const pages = [await viewer(t, h), await viewer(t, h)];
  for (const page of pages) {
    await until("it finds its way to the top by itself", 60, async () => (await level(page)) === 2);
  }
  const page = pages[0];
  for (const next of [0, 2, 1, 2]) {
    await page.evaluate((n) => { hls.nextLevel = n; }, next);
    const before = (await loaded(page)).length;
    await until(`it plays ${names[next]}`, 40, async () => (await level(page)) === next);
    await until(`its ${names[next]} segments come`, 40, async () => (await loaded(page)).slice(before).filter((n) => n === names[next]).length >= 2);
    const { peers } = await stats(page);
    await until("they come from peers", 40, async () => (await stats(page)).peers > peers + 1e5);
  }
  await page.evaluate(() => { hls.nextLevel = -1; });
  await playing(page, 4, 30);
  const contents = (await h.state()).contents.map((c) => c.url).sort();
  assert.deepEqual(contents, ["/live/high/index.m3u8", "/live/low/index.m3u8", "/live/mid/index.m3u8"]);
  for (const page of pages) {
    const { checked, wrong } = await wrongSegments(page, s);
    assert.ok(checked > 5);
    assert.deepEqual(wrong, []);
    assert.equal((await figures(page)).stalls, 0, JSON.stringify([await stats(page), await loaded(page)]));
  }
});

// That they go up again once a booster joins is told in renditions.soak.mjs: it
// hangs on hls.js's own estimate of the line, and takes minutes at times.
test("where the line is too small for all, viewers go down and play on", async (t) => {
  const { s, pages } = await squeezed(t);
  const before = await Promise.all(pages.map(async (p) => (await figures(p)).stalls));
  await Promise.all(pages.map((p) => playing(p, 8, 40)));
  assert.deepEqual(await Promise.all(pages.map(async (p) => (await figures(p)).stalls)), before, "nobody stalls");
  for (const page of pages) assert.deepEqual((await wrongSegments(page, s)).wrong, []);
});
