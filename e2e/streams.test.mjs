// Streams of every form go through peers, byte for byte; keys never do.
import { test } from "node:test";
import assert from "node:assert/strict";
import { host } from "./lib/host.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { boosted, flowing } from "./lib/crowd.mjs";
import { encryptedSite, fmp4Site, rangedSite } from "./lib/forms.mjs";

// watched is a host before this site, a booster, and two viewers to whom chunks flow.
async function watched(t, s, before = recordResponses) {
  const h = await host(t, s);
  await boosted(t, h);
  const pages = [];
  for (let i = 0; i < 2; i++) {
    pages.push(await open(await chromium(t), h.page, { before }));
    await playing(pages[i], 1, 40);
  }
  for (const page of pages) await flowing(page);
  await Promise.all(pages.map((page) => playing(page, 5, 40)));
  for (const page of pages) {
    const { checked, wrong } = await wrongSegments(page, s);
    assert.ok(checked >= 4, `${checked} segments were checked`);
    assert.deepEqual(wrong, []);
    assert.equal((await figures(page)).stalls, 0, JSON.stringify(await stats(page)));
  }
  return { h, pages };
}

const times = (s, path) => s.requests.filter((url) => url.split("?")[0] === path).length;

test("fMP4 with an initialisation segment", async (t) => {
  const s = await fmp4Site(t);
  const { h } = await watched(t, s);
  assert.deepEqual((await h.state()).contents.map((c) => c.url), ["/live/index.m3u8"]);
  // The first ones were asked for before the stream was followed.
  const late = await until("further segments are fetched", 30, () => {
    const urls = [...new Set(s.requests.filter((url) => url.endsWith(".m4s")))].slice(8, -1);
    return urls.length > 1 && urls;
  });
  for (const url of late) assert.equal(times(s, url), 1, `${url} was fetched from the site once`);
});

test("byte ranges of one file", async (t) => {
  const s = await rangedSite(t);
  const { h } = await watched(t, s);
  assert.deepEqual((await h.state()).contents.map((c) => c.url), ["/live/index.m3u8"]);
});

// watchLinks is run in the page before anything else: it looks for these bytes
// in every message that its links bring.
function watchLinks(bytes) {
  const seen = (window.onLinks = { messages: 0, found: 0 });
  const look = ({ data }) => {
    if (!(data instanceof ArrayBuffer)) return;
    seen.messages++;
    const b = new Uint8Array(data);
    for (let i = b.indexOf(bytes[0]); i >= 0; i = b.indexOf(bytes[0], i + 1)) {
      if (bytes.every((x, j) => b[i + j] === x)) return seen.found++;
    }
  };
  const create = RTCPeerConnection.prototype.createDataChannel;
  RTCPeerConnection.prototype.createDataChannel = function (...args) {
    const channel = create.apply(this, args);
    channel.addEventListener("message", look);
    return channel;
  };
}

test("AES-128: segments go through peers as they are, the key never", async (t) => {
  const s = await encryptedSite(t);
  const { h, pages } = await watched(t, s, `(${recordResponses})();(${watchLinks})(${JSON.stringify([...s.body("/live/secret.key")])})`);
  assert.deepEqual((await h.state()).contents.map((c) => c.url), ["/live/index.m3u8"], "no content names the key");
  assert.equal(times(s, "/live/secret.key"), pages.length, "each viewer asks the site for the key, nobody else does");
  for (const page of pages) {
    const { messages, found } = await page.evaluate(() => window.onLinks);
    assert.ok(messages > 100, `${messages} messages were looked at`);
    assert.equal(found, 0, "messages that hold the key");
  }
});
