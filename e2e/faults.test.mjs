// Faults under several viewers: nobody stalls and no bad byte is played.
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { chromium, open, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, sha256 } from "./lib/bytes.mjs";
import { crowd, flowing, unharmed } from "./lib/crowd.mjs";
import { lying, lies } from "./lib/liars.mjs";

test("a planner restart under four viewers: links live on, peers rejoin, nobody stalls", async (t) => {
  const { s, h, pages } = await crowd(t, 4);
  await h.planner(false);
  const before = await Promise.all(pages.map(stats));
  await unharmed(s, pages, 8);
  for (const [i, page] of pages.entries()) {
    const now = await stats(page);
    assert.ok(now.peers > before[i].peers + 5e5, "chunks come without a planner");
  }
  await h.planner(true);
  await until("all four rejoined", 40, async () => (await h.state()).viewers === 4);
  await unharmed(s, pages, 6);
});

test("a booster killed while it sends", async (t) => {
  const { s, h, friend, pages } = await crowd(t, 3);
  await friend.stop("SIGKILL");
  await unharmed(s, pages, 12);
  await until("the planner noticed", 45, async () => (await h.state()).boosters === 0);
});

test("a viewer's browser that vanishes", async (t) => {
  const { s, pages } = await crowd(t, 3, { withBooster: false });
  const gone = pages.shift();
  gone.browser().process().kill("SIGKILL");
  await unharmed(s, pages, 12);
});

test("viewers that falsify chunks: no bad byte is played, nobody stalls", async (t) => {
  const s = await site(t);
  const h = await host(t, s);
  const liars = [];
  for (let i = 0; i < 2; i++) {
    const page = await open(await chromium(t), h.page, { before: lying() });
    await playing(page, 1, 40);
    liars.push(page);
  }
  for (const page of liars) await flowing(page);
  const honest = [];
  for (let i = 0; i < 2; i++) {
    const page = await open(await chromium(t), h.page, { before: recordResponses });
    await playing(page, 1, 40);
    honest.push(page);
  }
  await until("a lie was told and caught", 60, async () => {
    const told = await lies(liars);
    const caught = (await Promise.all(honest.concat(liars).map(stats))).reduce((a, b) => a + b.bad, 0);
    return told > 0 && caught > 0;
  });
  await unharmed(s, honest, 10);
});

test("a personalised playlist shares nothing, and plays", async (t) => {
  let n = 0;
  const s = await site(t, { playlist: (text) => text.replace(/^(\d+\.ts)$/gm, `$1?viewer=${n++}`) });
  const h = await host(t, s);
  const page = await open(await chromium(t), h.page);
  await playing(page, 6, 40);
  assert.deepEqual((await h.state()).contents ?? [], []);
  assert.equal((await stats(page))?.peers ?? 0, 0);
});

test("a segment that changes under one URL is never mixed", async (t) => {
  // Odd requests get another cut of the same length: bytes of both must not meet in one body.
  const versions = new Map();
  const s = await site(t, { segment: (body, n) => {
    const v = (versions.get(n) ?? -1) + 1;
    versions.set(n, v);
    const out = Buffer.from(body);
    if (v > 0) for (let i = 0; i < out.length; i += 188) out[i + 187] = v & 0xff;
    return out;
  } });
  const h = await host(t, s);
  const page = await open(await chromium(t), h.page, { before: recordResponses });
  await playing(page, 1, 40);
  await flowing(page);
  await playing(page, 6, 30);
  const seen = await page.evaluate(() => window.seenSegments);
  for (const [path, hash] of seen) {
    const n = Number(path.match(/(\d+)\.ts/)[1]);
    const whole = [];
    for (let v = 0; v <= (versions.get(n) ?? 0); v++) {
      const out = Buffer.from(s.clip[n % s.clip.length]);
      if (v > 0) for (let i = 0; i < out.length; i += 188) out[i + 187] = v & 0xff;
      whole.push(sha256(out));
    }
    assert.ok(whole.includes(hash), `${path} is one version or another, never a mixture`);
  }
});
