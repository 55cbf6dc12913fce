// Faults under several viewers: nobody stalls and no bad byte is played.
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host, booster } from "./lib/host.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";

async function crowd(t, size, { withBooster = true, hooks, before = recordResponses } = {}) {
  const s = await site(t, hooks);
  const h = await host(t, s);
  let friend;
  if (withBooster) {
    friend = booster(t, await h.invite());
    await until("the booster is here", 20, async () => (await h.state()).boosters === 1);
  }
  const pages = [];
  for (let i = 0; i < size; i++) {
    const page = await open(await chromium(t), h.page, { before });
    await playing(page, 1, 40);
    pages.push(page);
  }
  for (const page of pages) await flowing(page);
  return { s, h, friend, pages };
}

// A fault counts only if chunks flowed before it.
const flowing = (page) => until("chunks flow", 40, async () => ((await stats(page))?.peers ?? 0) > 1e6);

async function unharmed(s, pages, seconds = 10) {
  for (const page of pages) await playing(page, seconds, seconds + 20);
  for (const page of pages) {
    assert.equal((await figures(page)).stalls, 0, "nobody stalls");
    const { checked, wrong } = await wrongSegments(page, s);
    assert.ok(checked > 3);
    assert.deepEqual(wrong, []);
  }
}

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

// lying changes the chunks that this browser's page sends, one in four each way:
// altered, truncated, swapped for another number, and an old one again.
function lying() {
  const send = RTCDataChannel.prototype.send;
  let turn = 0;
  let old = null;
  window.lies = 0;
  RTCDataChannel.prototype.send = function (data) {
    const b = data instanceof ArrayBuffer ? new Uint8Array(data) : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : null;
    if (b && b[0] === 0x10) {
      let lie = b.slice();
      switch (turn++ % 4) {
        case 0: lie[lie.length - 1] ^= 1; break;
        case 1: lie = lie.slice(0, lie.length - 1); break;
        case 2: lie[24] ^= 1; break; // the number's last byte
        case 3: if (old) { lie.set(old.subarray(26, Math.min(old.length, lie.length)), 26); } else lie[30] ^= 1; break;
      }
      old = b.slice();
      window.lies++;
      return send.call(this, lie);
    }
    return send.call(this, data);
  };
}

test("viewers that falsify chunks: no bad byte is played, nobody stalls", async (t) => {
  const s = await site(t);
  const h = await host(t, s);
  const liars = [];
  for (let i = 0; i < 2; i++) {
    const page = await open(await chromium(t), h.page, { before: lying });
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
    const told = (await Promise.all(liars.map((p) => p.evaluate(() => window.lies)))).reduce((a, b) => a + b);
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
  const { sha256 } = await import("./lib/bytes.mjs");
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
