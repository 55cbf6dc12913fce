// Homes whose upload is scarce: what they have together is some times what all
// their viewers need.
import { country, cpu, busy } from "./country.mjs";
import { host, median, site, wait } from "./tuber.mjs";
import { run } from "../../e2e/lib/programs.mjs";

export const seconds = Number(process.env.SECONDS ?? 90);
export const settle = Number(process.env.SETTLE ?? 40);
const kbits = 800; // four partitions, so that what a line carries counts in quarters of the stream
const headers = 1.12; // of IP, UDP, DTLS and SCTP, and what acknowledges

export async function scene(play) {
  const cleanups = [];
  try {
    return await play({ after: (f) => cleanups.push(f) });
  } finally {
    for (const f of cleanups.reverse()) await f();
  }
}

// uplinks of n viewers, in times the stream's rate: a quarter next to nothing,
// a quarter one, a half what makes the sum, some two: more than twice what it
// receives no viewer gives (design section 5).
function uplinks(n, supply) {
  const none = Math.round(n / 4), one = Math.round(n / 4), wide = n - none - one;
  const sum = supply * n - 1.5 - one;
  return [...Array(wide).fill(sum / wide), ...Array(one).fill(1), ...Array(none).fill(0)];
}

// homes are the places of the viewers, the weak among the strong.
export function homes(land, rate, ups) {
  const order = ups.map((_, i) => i).sort((a, b) => ((a * 7) % ups.length) - ((b * 7) % ups.length));
  return order.map((i) => land.place(`v${i}`, { up: Math.max(0.1, ups[i] * rate / 1e6 * headers) }));
}

export async function scarce(t, supply, n) {
  const land = country(t);
  const home = land.place("home");
  const s = await site(t, home, { at: `${home.address}:8080`, kbits });
  const ups = uplinks(n, supply);
  return { land, home, s, ups, cap: () => home.cap(1.5 * s.rate / 1e6 * headers), declared: ["--uplink", `${Math.round(1.5 * s.rate / 1000 * headers)}kbit/s`] };
}

// withoutBrowsers runs one `tuber watch` at each home. Its figures are read
// twice: what was before the swarm settled does not count.
export const withoutBrowsers = (supply, n) => scene(async (t) => {
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
