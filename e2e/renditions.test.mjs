// A master playlist of three renditions, played by real hls.js with its own
// choice of rendition on: each is a content, and viewers move up and down.
import { test } from "node:test";
import assert from "node:assert/strict";
import { host } from "./lib/host.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { boosted } from "./lib/crowd.mjs";
import { renditionsSite } from "./lib/forms.mjs";

const names = ["low", "mid", "high"];
const level = (page) => page.evaluate(() => hls.currentLevel);
const loaded = (page) => page.evaluate(() => window.seenSegments.map(([path]) => path.split("/")[2]));

// viewer opens the page and waits until it plays.
async function viewer(t, h, before = recordResponses) {
  const page = await open(await chromium(t), h.page, { before });
  await playing(page, 1, 60);
  return page;
}

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

// Viewers that pass nothing on hang on the host's line alone.
const receiving = `(${recordResponses})();
  Object.defineProperty(Navigator.prototype, "connection", { get: () => Object.assign(new EventTarget(), { saveData: true }) });`;

test("where the line is too small for all, viewers go down and play on, and up again when a booster joins", async (t) => {
  const s = await renditionsSite(t);
  const h = await host(t, s, { args: ["--uplink", "3Mbit/s"] });
  const pages = [];
  for (let i = 0; i < 3; i++) pages.push(await viewer(t, h, receiving));
  const levels = () => Promise.all(pages.map(level));
  await until("they share the line: not all at the top, all with some seconds ahead", 90, async () => {
    const ahead = await Promise.all(pages.map((p) => p.evaluate(() => video.buffered.length && video.buffered.end(video.buffered.length - 1) - video.currentTime)));
    return (await levels()).some((n) => n < 2) && ahead.every((a) => a > 3);
  });
  const before = await Promise.all(pages.map(async (p) => (await figures(p)).stalls));
  const sum = (all) => all.reduce((a, b) => a + b, 0);
  await Promise.all(pages.map((p) => playing(p, 8, 40)));
  assert.deepEqual(await Promise.all(pages.map(async (p) => (await figures(p)).stalls)), before, "nobody stalls");

  const then = sum(await levels());
  await boosted(t, h);
  await until("they go up", 120, async () => sum(await levels()) > then);
  for (const page of pages) assert.deepEqual((await wrongSegments(page, s)).wrong, []);
});
