// How far behind live real players are on a real low-latency HLS stream, with
// Tuber (a host, a booster, browsers that pass parts on) and without it, at the
// same time on the same machine. Two figures: how long after a part was made its
// bytes were in the player's hands, and how far the picture is behind. Run it
// with `make bench-latency`.
import { readFileSync } from "node:fs";
import { chromium, open, figures, stats, playing, until } from "../../e2e/lib/browser.mjs";
import { host } from "../../e2e/lib/host.mjs";
import { boosted } from "../../e2e/lib/crowd.mjs";
import { lowLatencySite, PART_MS, PARTS } from "../../e2e/lib/lowlatency.mjs";

const viewers = Number(process.env.VIEWERS ?? 2);
const seconds = Number(process.env.SECONDS ?? 40);
const cleanups = [];
const t = { after: (f) => cleanups.push(f) };
const sorted = (v) => v.slice().sort((a, b) => a - b);
const at = (v, q) => sorted(v)[Math.min(v.length - 1, Math.floor(v.length * q))];
const cpu = () => readFileSync("/proc/stat", "utf8").split("\n")[0].trim().split(/\s+/).slice(1, 9).map(Number);
const busy = (a, b) => { const d = b.map((v, i) => v - a[i]); const all = d.reduce((x, y) => x + y); return 1 - (d[3] + d[4]) / all; };

// noteParts is run in the page before its scripts: it keeps when each part's last byte came.
function noteParts() {
  const got = (window.partsGot = []);
  const start = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (...args) {
    this.addEventListener("readystatechange", () => {
      const m = /\/(\d+)\.(\d+)\.m4s/.exec(this.responseURL);
      if (this.readyState === 4 && m) got.push([Number(m[1]), Number(m[2]), Date.now()]);
    });
    return start.apply(this, args);
  };
}

async function watching(url) {
  const page = await open(await chromium(t), url, { before: noteParts });
  await playing(page, 1, 60);
  return page;
}

// measure samples a page's latency while it plays and reads when its parts came.
async function measure(page, s, from) {
  const behind = [];
  while (Date.now() < from + seconds * 1000) {
    behind.push((await figures(page)).latency * 1000);
    await new Promise((r) => setTimeout(r, 500));
  }
  const got = (await page.evaluate(() => window.partsGot)).filter(([, , when]) => when > from);
  return { behind, delays: got.map(([n, i, when]) => when - (s.start + (n * PARTS + i + 1) * PART_MS)), stalls: (await figures(page)).stalls };
}

async function main() {
  const s = await lowLatencySite(t);
  const h = await host(t, s);
  await boosted(t, h);
  const without = [], withTuber = [];
  for (let i = 0; i < viewers; i++) {
    without.push(await watching(s.url));
    withTuber.push(await watching(h.page));
  }
  for (const page of withTuber) await until("chunks flow", 60, async () => (await stats(page))?.peers > 1e6);
  // Both begin anew at the edge: what the start took counts for neither.
  await Promise.all([...without, ...withTuber].map((page) => page.evaluate(() => { hls.startLoad(-1); video.currentTime = hls.liveSyncPosition; })));
  await new Promise((r) => setTimeout(r, 5000));
  const began = { at: Date.now(), cpu: cpu(), stats: await Promise.all(withTuber.map(stats)), stalls: await Promise.all([...without, ...withTuber].map(async (p) => (await figures(p)).stalls)) };
  const all = await Promise.all([...without, ...withTuber].map((page) => measure(page, s, began.at)));
  const load = busy(began.cpu, cpu());
  const ended = await Promise.all(withTuber.map(stats));
  const moved = (name) => ended.reduce((sum, e, i) => sum + e[name] - began.stats[i][name], 0);
  const share = moved("peers") / (moved("peers") + moved("plain") + moved("httpChunks"));
  const groups = [all.slice(0, viewers), all.slice(viewers)].map((g, i) => ({
    delays: g.flatMap((x) => x.delays), behind: g.flatMap((x) => x.behind),
    stalls: g.reduce((sum, x, j) => sum + x.stalls - began.stalls[i * viewers + j], 0),
  }));
  const [plain, tuber] = groups;
  const row = (name, f) => console.log(`| ${name} | ${f(plain)} | ${f(tuber)} |`);
  console.log(`\n| figure | without Tuber | with Tuber |\n|---|---|---|`);
  row("viewers, seconds", () => `${viewers}, ${seconds}`);
  row("part in the player's hands after it was made, median", (g) => `${at(g.delays, 0.5)} ms`);
  row("the same, p95", (g) => `${at(g.delays, 0.95)} ms`);
  row("picture behind live, median", (g) => `${(at(g.behind, 0.5) / 1000).toFixed(2)} s`);
  row("stalls", (g) => g.stalls);
  console.log(`| share of bytes not from HTTP | | ${(share * 100).toFixed(1)} % |`);
  console.log(`| CPU of the machine | ${(load * 100).toFixed(0)} % | |\n`);
  if (load > 0.85) console.log("The machine was busy: this run is void.");
  console.log(`latency ratio ${(at(tuber.behind, 0.5) / at(plain.behind, 0.5)).toFixed(2)}`);
}

try {
  await main();
} finally {
  for (const f of cleanups.reverse()) await f();
}
