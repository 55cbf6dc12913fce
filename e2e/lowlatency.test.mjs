// Low-latency HLS through peers: real hls.js, parts as they are made.
import { test } from "node:test";
import assert from "node:assert/strict";
import { chromium, firefox } from "./lib/browser.mjs";
import { lowLatencySite } from "./lib/lowlatency.mjs";
import { MOSTLY, partsOf, partsSeen, steady, unharmed, watched } from "./lib/parts.mjs";

const PARTS = 20; // that a player gets while its answers are counted: some eight seconds of them

const times = (s, path) => s.requests.filter((url) => url.split("?")[0] === path).length;

test("parts come from peers as they are made, in Chromium and Firefox", async (t) => {
  const s = await lowLatencySite(t);
  const { h, pages } = await watched(t, s, [chromium, firefox]);
  assert.deepEqual((await h.state()).contents.map((c) => c.url), ["/live/index.m3u8"]);
  const begin = s.requests.length;
  const got = await steady(pages, 12, PARTS);
  t.diagnostic(JSON.stringify(got));
  for (const { share, bytes } of got) {
    assert.ok(bytes > 1e6, `${bytes} bytes`);
    assert.ok(share > MOSTLY, `${(share * 100).toFixed(1)} % came from peers`);
  }
  await unharmed(s, pages);
  const during = s.requests.slice(begin);
  const parts = [...new Set(partsOf(during))];
  assert.ok(parts.length > PARTS, `${parts.length} parts`);
  for (const url of parts) assert.equal(times(s, url), 1, `${url} was fetched from the site once, whoever watches`);
  const lists = during.filter((url) => url.startsWith("/live/index.m3u8")).length;
  assert.ok(lists < parts.length * 2, `${lists} requests for the playlist in the time of ${parts.length} parts: less than two players alone would make`);
});

test("a player without low latency plays the same bytes under their segments' names", async (t) => {
  const s = await lowLatencySite(t, { config: { lowLatencyMode: false } });
  const { pages } = await watched(t, s, [chromium, chromium]);
  const got = await steady(pages, 12);
  t.diagnostic(JSON.stringify(got));
  for (const { share } of got) assert.ok(share > MOSTLY, `${(share * 100).toFixed(1)} % came from peers`);
  for (const page of pages) assert.equal(await partsSeen(page), 0, "it asks for no parts");
  await unharmed(s, pages);
});

test("a site that holds no requests for hinted parts", async (t) => {
  const s = await lowLatencySite(t, { hints: false });
  const { pages } = await watched(t, s, [chromium]);
  const [{ share }] = await steady(pages, 10, PARTS);
  assert.ok(share > MOSTLY, `${(share * 100).toFixed(1)} % came from peers`);
  await unharmed(s, pages);
});
