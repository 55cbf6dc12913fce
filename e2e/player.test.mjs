// One viewer in every circumstance: the video plays, whatever is missing.
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host, booster } from "./lib/host.mjs";
import { chromium, firefox, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";

// swarm is a site, a host and, unless told otherwise, a booster that joined.
async function swarm(t, { withBooster = true, hooks, ...rest } = {}) {
  const s = await site(t, hooks);
  const h = await host(t, s, rest);
  if (withBooster) {
    booster(t, await h.invite());
    await until("the booster is here", 20, async () => (await h.state()).boosters === 1);
  }
  return { s, h };
}

const fed = (page, bytes = 1e6) => until("bytes come from peers", 40, async () => {
  const s = await stats(page);
  return s && s.peers > bytes && s;
});

for (const [name, launch] of [["Chromium", chromium], ["Firefox", firefox]]) {
  test(`${name}: what the player gets is what the origin serves, byte for byte`, async (t) => {
    const { s, h } = await swarm(t);
    const page = await open(await launch(t), h.page, { before: recordResponses });
    await playing(page, 2, 60);
    await fed(page);
    await playing(page, 6, 30);
    const { checked, wrong } = await wrongSegments(page, s);
    assert.ok(checked >= 3, `${checked} segments were checked`);
    assert.deepEqual(wrong, []);
    assert.equal((await figures(page)).stalls, 0);
  });
}

test("each segment is fetched from the site once, whoever watches", async (t) => {
  const { s, h } = await swarm(t);
  const pages = [];
  for (let i = 0; i < 2; i++) pages.push(await open(await chromium(t), h.page));
  for (const p of pages) await fed(p);
  await playing(pages[0], 12, 40);
  const counts = new Map();
  for (const url of s.requests.slice()) if (url.endsWith(".ts")) counts.set(url, (counts.get(url) ?? 0) + 1);
  const late = [...counts].slice(8); // the first ones were asked for before the stream was followed
  assert.ok(late.length > 2, `${counts.size} segments`);
  assert.deepEqual(late.filter(([, n]) => n > 1), []);
});

test("two tabs of one profile are one viewer, and both play", async (t) => {
  const { h } = await swarm(t);
  const browser = await chromium(t);
  const first = await open(browser, h.page);
  await playing(first);
  const second = await open(browser, h.page);
  await second.bringToFront();
  await playing(second);
  await until("two tabs of one viewer", 20, async () => (({ viewers, tabs }) => viewers === 1 && tabs === 2)(await h.state()));
  await playing(second, 4);
  assert.equal((await h.state()).viewers, 1);
  await second.close();
  await until("one tab of one viewer", 20, async () => (({ viewers, tabs }) => viewers === 1 && tabs === 1)(await h.state()));
});

for (const [name, launch] of [["Chromium", chromium], ["Firefox", firefox]]) {
  test(`${name}: after a reload the page is back in the swarm as the same viewer`, async (t) => {
    const { h } = await swarm(t);
    const page = await open(await launch(t), h.page);
    await fed(page);
    await page.reload({ waitUntil: "domcontentloaded" });
    await playing(page);
    await until("links are open again", 15, async () => ((await stats(page))?.links ?? 0) > 0);
    await fed(page);
    assert.equal((await h.state()).viewers, 1);
  });

  test(`${name}: with the planner away from the start the video plays over HTTP`, async (t) => {
    const { h } = await swarm(t, { withBooster: false });
    await h.planner(false);
    const page = await open(await launch(t), h.page);
    await playing(page, 6, 40);
    assert.equal((await figures(page)).stalls, 0);
  });
}

test("a worker that the browser stopped comes back", async (t) => {
  const { h } = await swarm(t);
  const page = await open(await chromium(t), h.page);
  await fed(page);
  const devtools = await page.createCDPSession();
  await devtools.send("ServiceWorker.enable");
  for (let i = 0; i < 3; i++) {
    await devtools.send("ServiceWorker.stopAllWorkers");
    await playing(page, 3);
  }
  const before = (await stats(page)).answered;
  await playing(page, 4);
  assert.ok((await stats(page)).answered > before, "the worker is answered from peers again");
  assert.equal((await figures(page)).stalls, 0);
});

for (const [name, before] of [
  ["WebRTC", () => { delete window.RTCPeerConnection; }],
  ["a service worker", () => { delete Navigator.prototype.serviceWorker; }],
  ["Ed25519", () => { const f = crypto.subtle.generateKey.bind(crypto.subtle); crypto.subtle.generateKey = (a, ...r) => (a === "Ed25519" || a.name === "Ed25519" ? Promise.reject(new DOMException("no", "NotSupportedError")) : f(a, ...r)); }],
]) {
  test(`without ${name} the video plays over HTTP`, async (t) => {
    const { h } = await swarm(t, { withBooster: false });
    const page = await open(await chromium(t), h.page, { before });
    await playing(page, 6, 40);
    assert.equal((await figures(page)).stalls, 0);
    assert.deepEqual(page.said.filter((l) => l.startsWith("ERROR")), []);
  });
}

test("?tuber=off and the kill switch unregister everything", async (t) => {
  const { h } = await swarm(t, { withBooster: false });
  const browser = await chromium(t);
  const page = await open(browser, h.page);
  const workers = () => page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
  await until("a worker is registered", 10, async () => (await workers()) === 1);
  await page.goto(h.page + "?tuber=off", { waitUntil: "domcontentloaded" });
  await until("it is gone", 10, async () => (await workers()) === 0);
  await playing(page, 2);

  const other = await open(await chromium(t), h.page);
  const others = () => other.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
  await until("a worker is registered", 10, async () => (await others()) === 1);
  await h.enabled(false);
  await other.reload({ waitUntil: "domcontentloaded" });
  await until("it is gone", 10, async () => (await others()) === 0);
  await playing(other, 2);
});

for (const [name, connection] of [["a cellular line", { type: "cellular" }], ["Save-Data", { saveData: true }]]) {
  test(`a viewer on ${name} uploads nothing`, async (t) => {
    const { h } = await swarm(t, { withBooster: false });
    const meter = await open(await chromium(t), h.page, {
      before: `Object.defineProperty(Navigator.prototype, "connection", { get: () => Object.assign(new EventTarget(), ${JSON.stringify(connection)}) })`,
    });
    const other = await open(await chromium(t), h.page);
    await fed(meter);
    await playing(other, 6);
    assert.equal((await stats(meter)).sent, 0);
    assert.ok((await stats(meter)).peers > 1e6, "it receives all the same");
  });
}
