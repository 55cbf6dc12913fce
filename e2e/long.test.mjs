// A response that takes longer than Firefox lets a worker's stream live without
// a sign of life: the page's ping keeps it whole (design section 8).
import { describe, test } from "node:test";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { chromium, firefox, open, playing, stats, until } from "./lib/browser.mjs";
import { sha256 } from "./lib/bytes.mjs";

const TAKES = 40; // seconds
const STEP = 250; // ms

// slowly is a site that has, beside the live stream, one whose newest segment
// is made as slowly as that: whoever asks sees as much of it as there is.
async function slowly(t) {
  const bodies = [randomBytes(300_000), randomBytes(300_000), randomBytes(600_000)];
  const slow = { listed: 2, began: 0 }; // segments listed; when the last one was first asked for
  const there = (n) => (n < 2 ? bodies[n].length : Math.min(bodies[n].length, Math.floor(((Date.now() - slow.began) / (TAKES * 1000)) * bodies[n].length)));
  const s = await site(t, {
    any(req, res) {
      const path = req.url.split("?")[0];
      if (path === "/slow/index.m3u8") {
        const list = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n" +
          bodies.slice(0, slow.listed).map((_, n) => `#EXTINF:10.0,\n${n}.ts\n`).join("");
        res.writeHead(200, { "Content-Type": "application/vnd.apple.mpegurl", "Cache-Control": "no-cache", "Content-Length": list.length }).end(list);
        return true;
      }
      const n = path.match(/^\/slow\/([012])\.ts$/)?.[1];
      if (n === undefined) return false;
      if (n === "2") slow.began ||= Date.now();
      const body = bodies[n];
      let at = Number(req.headers.range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
      const common = { "Content-Type": "video/mp2t", "Cache-Control": "public, max-age=300", "Accept-Ranges": "bytes", "Content-Length": body.length - at };
      if (req.headers.range) res.writeHead(206, { ...common, "Content-Range": `bytes ${at}-${body.length - 1}/${body.length}` });
      else res.writeHead(200, common);
      const timer = setInterval(() => {
        const upTo = there(n);
        if (upTo > at) res.write(body.subarray(at, upTo));
        at = Math.max(at, upTo);
        if (at >= body.length) { clearInterval(timer); res.end(); }
      }, STEP);
      res.on("close", () => clearInterval(timer));
      return true;
    },
  });
  return Object.assign(s, { bodies, slow });
}

// fetched asks for the stream as a player does, then for its slow segment, and
// tells what came, after how many ms, and whether the worker answered.
const fetched = (page) => page.evaluate(async () => {
  const began = performance.now();
  const response = await fetch("/slow/2.ts");
  const pieces = [];
  let size = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    pieces.push(value);
    size += value.length;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const p of pieces) { whole.set(p, at); at += p.length; }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return { took: performance.now() - began, size, sha256: [...digest].map((b) => b.toString(16).padStart(2, "0")).join("") };
});

describe("both at once, for it takes long", { concurrency: true }, () => {
  for (const [name, browser] of [["Firefox", firefox], ["Chromium", chromium]]) {
    test(`${name}: a response of over 35 s through the worker comes whole`, async (t) => {
      const s = await slowly(t);
      const h = await host(t, s);
      const page = await open(await browser(t), h.page);
      await playing(page, 2, 60);
      await until("it is in the swarm", 40, async () => ((await stats(page))?.peers ?? 0) > 2e5);
      await page.evaluate(() => { window.polling = setInterval(() => fetch("/slow/index.m3u8").catch(() => {}), 2000); });
      await until("the stream is followed and wanted", 40, async () => {
        const id = (await h.state()).contents.find((c) => c.url === "/slow/index.m3u8")?.id;
        return id && (await stats(page)).wanted.includes(id);
      });
      await page.evaluate(() => { hls.destroy(); video.pause(); });
      const wanted = async () => (await stats(page)).wanted.length;
      await until("nothing else is wanted", 20, async () => (await wanted()) === 1);
      const came = async () => (await stats(page)).peers;
      await until("what was on its way of it is here", 20, async () => {
        const before = await came();
        await new Promise((r) => setTimeout(r, 1500));
        return (await came()) === before;
      });
      const peers = await came();
      s.slow.listed = 3;
      await until("its chunks flow", 40, async () => s.slow.began > 0 && (await came()) > peers);
      await page.evaluate(() => clearInterval(polling)); // nothing else may reach the worker: that would be a sign of life
      const before = (await stats(page)).answered;
      const got = await fetched(page);
      assert.ok(got.took > 35_000, `it took ${got.took} ms`);
      assert.equal(got.size, s.bodies[2].length);
      assert.equal(got.sha256, sha256(s.bodies[2]));
      assert.ok((await stats(page)).answered > before, "the worker answered from chunks");
    });
  }
});
