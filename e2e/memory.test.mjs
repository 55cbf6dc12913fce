// How much memory a live stream takes in a page: the 60 MB that may be held, and
// little else beside what a page without Tuber takes, whatever the bitrate.
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { chromium, open, figures, playing, stats, until } from "./lib/browser.mjs";

const BOUND = 60e6; // of what is held (web/src/page/memory.ts)
const REST = 12e6; // what else the peer and the worker take: their code, links and queues
const MUCH = 75e6; // bytes from peers: more than may be held

// Null packets of MPEG-TS (PID 0x1fff), which no player decodes, make segments of
// 2 s of a stream of about 20 Mbit/s out of those of the clip.
const nothing = Buffer.alloc(188, 0xff);
nothing.set([0x47, 0x1f, 0xff, 0x10]);
const padding = Buffer.alloc(188 * 24_500, nothing);

// taken is what is alive in a page's or worker's heap, in bytes: objects and buffers.
async function taken(devtools) {
  await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize } = await devtools.send("Runtime.getHeapUsage");
  assert.equal(typeof backingStorageSize, "number", "Chromium tells how much buffers take");
  return usedSize + backingStorageSize;
}

test("a page holds at most 60 MB of a live stream of 20 Mbit/s", async (t) => {
  const s = await site(t, { segment: (body) => Buffer.concat([body, padding]) });
  const h = await host(t, s);
  const bare = await open(await chromium(t), h.page + "?tuber=off");
  await playing(bare, 8, 40);
  const without = await taken(await bare.createCDPSession());
  await bare.browser().close();

  const browser = await chromium(t);
  const page = await open(browser, h.page);
  await playing(page, 1, 40);
  const worker = await browser.waitForTarget((target) => target.type() === "service_worker");
  const heaps = [await page.createCDPSession(), await worker.createCDPSession()];
  let [most, mostHeld] = [0, 0];
  await until("more came than may be held", 80, async () => {
    const { held, peers } = await stats(page);
    const all = (await Promise.all(heaps.map(taken))).reduce((a, b) => a + b);
    [most, mostHeld] = [Math.max(most, all), Math.max(mostHeld, held)];
    return peers > MUCH;
  });
  t.diagnostic(`${(most / 1e6).toFixed(1)} MB at most, ${(without / 1e6).toFixed(1)} MB without Tuber, ${(mostHeld / 1e6).toFixed(1)} MB held, ${(await figures(page)).stalls} stalls`);
  assert.ok(mostHeld > BOUND * 0.9 && mostHeld < BOUND * 1.1, `${mostHeld} bytes were held: the bound was tried and kept`);
  assert.ok(most - without < BOUND + REST, `${most} bytes, ${without} without Tuber`);
});
