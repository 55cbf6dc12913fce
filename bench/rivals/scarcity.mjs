// Under scarcity: the home line carries 1.5 times the stream, and home and
// viewers together 1.35 (then 1.2) times what all viewers need; a quarter of them
// have next to no upload, and nobody tells the program so. What is counted are
// stalls after the start and the way behind live. No line is wider than a viewer may
// give of it, twice what it watches. With Tuber in viewers without
// browsers and in browsers, with p2p-media-loader in browsers. Each at a home of
// its own behind a capped line. Run it with `make bench-scarcity` (root).
import { cpu, busy } from "./country.mjs";
import { homes, scarce, scene, seconds, settle, withoutBrowsers } from "./scarce.mjs";
import { figures, host, median, started, tracker, viewer, wait } from "./tuber.mjs";

const headless = Number(process.env.VIEWERS ?? 20);
const browsers = Number(process.env.BROWSERS ?? 8);
const supplies = (process.env.SUPPLIES ?? "1.35,1.2").split(",").map(Number);

// inBrowsers opens n pages one after the other.
const inBrowsers = (supply, n, prepare) => scene(async (t) => {
  const sc = await scarce(t, supply, n);
  const to = await prepare(t, sc);
  sc.cap();
  const pages = [];
  for (const place of homes(sc.land, sc.s.rate, sc.ups)) {
    pages.push(await viewer(t, place, to.url, to.flags));
    await wait(2);
  }
  await started(pages);
  await wait(settle);
  const a = await figures(pages), load = cpu();
  await wait(seconds);
  const b = await figures(pages);
  return {
    stalls: b.reduce((all, f, i) => all + f.stalls - a[i].stalls, 0),
    share: b.reduce((all, f, i) => all + f.stalled - a[i].stalled, 0) / 1000 / seconds / n,
    latency: median(b.map((f) => f.latency)), worst: Math.max(...b.map((f) => f.latency)), load: busy(load, cpu()),
  };
});

const tuberPages = async (t, { home, s, declared }) => {
  const h = await host(t, home, s.url, declared);
  return { url: h.page, flags: h.flags };
};
const rivalPages = (query) => async (t, { land, s }) => {
  const at = await tracker(t, land.hub);
  return { url: `${s.url}/p2pml?tracker=${encodeURIComponent(at)}&${query}`, flags: [`--unsafely-treat-insecure-origin-as-secure=${s.url}`] };
};

console.log("| what | viewers | supply / need | stalls after the start | stalled, share of the time | behind live s, median | worst viewer s | CPU |\n|---|---|---|---|---|---|---|---|");
const row = (name, n, supply, r) => console.log(`| ${name} | ${n} | ${supply} | ${r.stalls} | ${(100 * r.share).toFixed(2)} % | ${r.latency.toFixed(1)} | ${r.worst.toFixed(1)} | ${(100 * r.load).toFixed(0)} %${r.load > 0.85 ? " (void)" : ""} |`);
let ratio;
for (const supply of supplies) {
  if (headless > 0) {
    const r = await withoutBrowsers(supply, headless);
    ratio ??= r.latency / 8;
    row("Tuber, no browsers", headless, supply, r);
  }
  if (browsers > 0) {
    row("Tuber", browsers, supply, await inBrowsers(supply, browsers, tuberPages));
    row("p2p-media-loader, defaults", browsers, supply, await inBrowsers(supply, browsers, rivalPages("sync=3")));
    row("p2p-media-loader, best (8 segments behind)", browsers, supply, await inBrowsers(supply, browsers, rivalPages("sync=8&demand=4")));
  }
}
console.log(`scarcity ratio ${ratio?.toFixed(2) ?? "-"}`);
