// Under scarcity: the home line carries 1.5 times the stream, and home and
// viewers together 1.35 (then 1.2) times what all viewers need; a quarter of them
// have next to no upload, and nobody tells the program so. What is counted are
// stalls after the start and the way behind live. With Tuber in viewers without
// browsers and in browsers, with p2p-media-loader in browsers. Each at a home of
// its own behind a capped line. Run it with `make bench-scarcity` (root).
import { country, cpu, busy } from "./country.mjs";
import { figures, host, median, site, started, tracker, viewer, wait } from "./tuber.mjs";
import { run } from "../../e2e/lib/programs.mjs";

const headless = Number(process.env.VIEWERS ?? 20);
const browsers = Number(process.env.BROWSERS ?? 8);
const seconds = Number(process.env.SECONDS ?? 90);
const settle = Number(process.env.SETTLE ?? 40);
const kbits = 250;
const headers = 1.12; // of IP, UDP, DTLS and SCTP, and what acknowledges

async function scene(play) {
  const cleanups = [];
  try {
    return await play({ after: (f) => cleanups.push(f) });
  } finally {
    for (const f of cleanups.reverse()) await f();
  }
}

// uplinks of n viewers, in times the stream's rate: a quarter next to nothing,
// a half one, a quarter what makes the sum.
export function uplinks(n, supply) {
  const none = Math.round(n / 4), wide = Math.round(n / 4), one = n - none - wide;
  const sum = supply * n - 1.5 - one;
  return [...Array(wide).fill(sum / wide), ...Array(one).fill(1), ...Array(none).fill(0)];
}

// homes are the places of the viewers, the weak among the strong.
function homes(land, rate, ups) {
  const order = ups.map((_, i) => i).sort((a, b) => ((a * 7) % ups.length) - ((b * 7) % ups.length));
  return order.map((i) => land.place(`v${i}`, { up: Math.max(0.1, ups[i] * rate / 1e6 * headers) }));
}

async function scarce(t, supply, n) {
  const land = country(t);
  const home = land.place("home");
  const s = await site(t, home, { at: `${home.address}:8080`, kbits });
  const ups = uplinks(n, supply);
  return { land, home, s, ups, cap: () => home.cap(1.5 * s.rate / 1e6 * headers), declared: ["--uplink", `${Math.round(1.5 * s.rate / 1000)}kbit/s`] };
}

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

// withoutBrowsers runs one `tuber watch` at each home. Its figures are read
// twice: what was before the swarm settled does not count.
const withoutBrowsers = (supply, n) => scene(async (t) => {
  const sc = await scarce(t, supply, n);
  const h = await host(t, sc.home, sc.s.url, sc.declared);
  sc.cap();
  const began = Date.now();
  const all = [];
  for (const place of homes(sc.land, sc.s.rate, sc.ups)) {
    all.push(run(t, ["watch", h.page, "--insecure", "--json", "--after", `${settle + 2 * (n - all.length)}s`, "--for", `${settle + seconds + 2 * (n - all.length)}s`], { within: place.command }));
    await wait(2);
  }
  await wait(settle);
  const load = cpu();
  await Promise.all(all.map((w) => w.ended));
  const seen = all.map((w) => JSON.parse(w.text.slice(w.text.indexOf("{"))));
  const sum = (key) => seen.reduce((x, r) => x + r[key], 0);
  return {
    stalls: sum("stalls"), share: sum("stallTime") / (sum("playTime") + sum("stallTime")), load: busy(load, cpu()),
    latency: median(seen.map((r) => r.latencyP50)), worst: Math.max(...seen.map((r) => r.latencyP50)), took: Date.now() - began,
  };
});

console.log("| what | viewers | supply / need | stalls after the start | stalled, share of the time | behind live s, median | worst viewer s | CPU |\n|---|---|---|---|---|---|---|---|");
const row = (name, n, supply, r) => console.log(`| ${name} | ${n} | ${supply} | ${r.stalls} | ${(100 * r.share).toFixed(2)} % | ${r.latency.toFixed(1)} | ${r.worst.toFixed(1)} | ${(100 * r.load).toFixed(0)} %${r.load > 0.85 ? " (void)" : ""} |`);
let ratio;
for (const supply of [1.35, 1.2]) {
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
