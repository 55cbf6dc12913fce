// Low-latency HLS through peers: real hls.js, parts as they are made.
import { test } from "node:test";
import assert from "node:assert/strict";
import { host } from "./lib/host.mjs";
import { chromium, firefox, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { boosted, flowing } from "./lib/crowd.mjs";
import { lowLatencySite } from "./lib/lowlatency.mjs";

const MOSTLY = 0.8; // of the bytes: a worker whose page is busy for 50 ms asks over HTTP

// watched is a host before this site, a booster, and viewers to whom chunks flow.
async function watched(t, s, launchers) {
  const h = await host(t, s);
  const friend = await boosted(t, h);
  const pages = [];
  for (const launch of launchers) {
    const page = await open(await launch(t), h.page, { before: recordResponses });
    await playing(page, 1, 60);
    pages.push(page);
  }
  for (const page of pages) await flowing(page);
  return { h, friend, pages };
}

const seen = (page, re) => page.evaluate((source) => window.seenSegments.filter(([path]) => new RegExp(source).test(path)).length, re.source);

// steady measures what players were answered with over some seconds of playing:
// the share that no HTTP answer gave, and how far behind live they are.
async function steady(pages, seconds) {
  const before = await Promise.all(pages.map(async (page) => ({ ...(await stats(page)), ...(await figures(page)) })));
  await Promise.all(pages.map((page) => playing(page, seconds, seconds + 30)));
  return Promise.all(pages.map(async (page, i) => {
    const { peers, plain, httpChunks } = await stats(page);
    const [p, h] = [peers - before[i].peers, plain - before[i].plain + httpChunks - before[i].httpChunks];
    const { latency, stalls } = await figures(page);
    return { share: p / (p + h), bytes: p + h, latency, stalls: stalls - before[i].stalls };
  }));
}

// Low latency leaves a busy machine's player no room, so that its stalls say
// little here: bench/latency counts them beside those of a player without Tuber.
async function unharmed(s, pages) {
  for (const page of pages) {
    const { checked, wrong } = await wrongSegments(page, s);
    assert.ok(checked >= 10, `${checked} answers were checked`);
    assert.deepEqual(wrong, []);
  }
}

const times = (s, path) => s.requests.filter((url) => url.split("?")[0] === path).length;

test("parts come from peers as they are made, in Chromium and Firefox", async (t) => {
  const s = await lowLatencySite(t);
  const { h, pages } = await watched(t, s, [chromium, firefox]);
  assert.deepEqual((await h.state()).contents.map((c) => c.url), ["/live/index.m3u8"]);
  const begin = s.requests.length;
  const got = await steady(pages, 12);
  t.diagnostic(JSON.stringify(got));
  for (const { share, bytes, latency } of got) {
    assert.ok(bytes > 1e6, `${bytes} bytes`);
    assert.ok(share > MOSTLY, `${(share * 100).toFixed(1)} % came from peers`);
    assert.ok(latency > 0 && latency < 6, `${latency} s behind live`);
  }
  for (const page of pages) assert.ok((await seen(page, /\d+\.\d+\.m4s/)) > 20, "the player asks for parts");
  await unharmed(s, pages);
  const during = s.requests.slice(begin);
  const parts = [...new Set(during.filter((url) => /\d+\.\d+\.m4s/.test(url)))];
  assert.ok(parts.length > 20, `${parts.length} parts`);
  for (const url of parts) assert.equal(times(s, url), 1, `${url} was fetched from the site once, whoever watches`);
  const lists = during.filter((url) => url.startsWith("/live/index.m3u8")).length;
  assert.ok(lists < parts.length * 1.5, `${lists} requests for the playlist in the time of ${parts.length} parts`);
});

test("a player without low latency plays the same bytes under their segments' names", async (t) => {
  const s = await lowLatencySite(t, { config: { lowLatencyMode: false } });
  const { pages } = await watched(t, s, [chromium, chromium]);
  const got = await steady(pages, 12);
  t.diagnostic(JSON.stringify(got));
  for (const { share } of got) assert.ok(share > MOSTLY, `${(share * 100).toFixed(1)} % came from peers`);
  for (const page of pages) assert.equal(await seen(page, /\d+\.\d+\.m4s/), 0, "it asks for no parts");
  await unharmed(s, pages);
});

test("parts that are byte ranges of their segment", async (t) => {
  const s = await lowLatencySite(t, { ranged: true });
  const { pages } = await watched(t, s, [chromium, chromium]);
  const got = await steady(pages, 10);
  t.diagnostic(JSON.stringify(got));
  for (const { share } of got) assert.ok(share > MOSTLY, `${(share * 100).toFixed(1)} % came from peers`);
  await unharmed(s, pages);
});

test("a site that holds no requests for hinted parts", async (t) => {
  const s = await lowLatencySite(t, { hints: false });
  const { pages } = await watched(t, s, [chromium]);
  const got = await steady(pages, 10);
  const [{ share, latency }] = got;
  assert.ok(share > MOSTLY, `${(share * 100).toFixed(1)} % came from peers`);
  assert.ok(latency < 6, `${latency} s behind live`);
  await unharmed(s, pages);
});
