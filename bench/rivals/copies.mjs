// Origin copies: all bytes that leave the home of the host over those of the
// stream, in steady state. Eight browsers with Tuber (with and without a
// booster) and with p2p-media-loader (its defaults, and its best settings), then
// many viewers without browsers. Run it with `make bench-copies` (root).
import { country, cpu, busy } from "./country.mjs";
import { booster, figures, host, median, site, started, tracker, viewer, wait } from "./tuber.mjs";
import { run } from "../../e2e/lib/programs.mjs";

const viewers = Number(process.env.VIEWERS ?? 8);
const kbits = Number(process.env.KBITS ?? (viewers > 4 ? 250 : 0)); // two cores carry no more than four of the demo's
const crowds = (process.env.CROWDS ?? "100,300").split(",").filter(Boolean).map(Number);
const seconds = Number(process.env.SECONDS ?? 60);
const settle = Number(process.env.SETTLE ?? 30);

// scene runs one comparison and takes everything of it down again.
async function scene(play) {
  const cleanups = [];
  try {
    return await play({ after: (f) => cleanups.push(f) });
  } finally {
    for (const f of cleanups.reverse()) await f();
  }
}

// measured is what happens between two moments, after the swarm settled.
async function measured(home, rate, { payload, now }) {
  await wait(settle);
  const a = { at: Date.now(), sent: home.sent(), payload: payload?.(), cpu: cpu(), seen: await now() };
  await wait(seconds);
  const b = { at: Date.now(), sent: home.sent(), payload: payload?.(), cpu: cpu(), seen: await now() };
  const stream = rate / 8 * (b.at - a.at) / 1000;
  return { interface: (b.sent - a.sent) / stream, payload: payload ? (b.payload - a.payload) / stream : undefined, load: busy(a.cpu, b.cpu), before: a.seen, after: b.seen };
}

const browsers = (name, prepare) => scene(async (t) => {
  const land = country(t);
  const home = land.place("home");
  const s = await prepare(t, land, home);
  const pages = [];
  for (let i = 0; i < viewers; i++) {
    pages.push(await viewer(t, land.place(`v${i}`), s.url, s.flags));
    await wait(1);
  }
  await started(pages);
  const m = await measured(home, s.rate, { payload: s.payload, now: () => figures(pages) });
  const sum = (key) => m.after.reduce((all, f, i) => all + f[key] - m.before[i][key], 0);
  return { name, n: viewers, ...m, stalls: sum("stalls"), latency: median(m.after.map((f) => f.latency)) };
});

const tuber = (boosters) => async (t, land, home) => {
  const s = await site(t, home, { kbits });
  const h = await host(t, home, s.url);
  for (let i = 0; i < boosters; i++) await booster(t, land.place(`b${i}`), await h.invite());
  return { url: h.page, flags: h.flags, rate: s.rate, payload: h.payload };
};

const rival = (query) => async (t, land, home) => {
  const s = await site(t, home, { at: `${home.address}:8080`, kbits });
  const at = await tracker(t, land.hub);
  return { url: `${s.url}/p2pml?tracker=${encodeURIComponent(at)}&${query}`, rate: s.rate, flags: [`--unsafely-treat-insecure-origin-as-secure=${s.url}`] };
};

// A crowd without browsers, on a stream of 250 kbit/s: two cores carry no more. A
// host takes at most 128 control sockets from one address, so no more than a
// hundred are at one.
const crowd = (n) => scene(async (t) => {
  const land = country(t);
  const home = land.place("home");
  const s = await site(t, home, { kbits: 250 });
  const h = await host(t, home, s.url);
  await booster(t, land.place("b0"), await h.invite());
  const groups = Array.from({ length: Math.ceil(n / 100) }, (_, i) => Math.min(100, n - 100 * i));
  const ramp = Math.ceil(n * 0.15);
  const programs = groups.map((m, i) => run(t, ["watch", h.page, "--insecure", "--viewers", String(m), "--json", "--for", `${ramp + settle + seconds + 25}s`,
    "--ramp", `${ramp}s`, "--upload", "2Mbit/s"], { within: land.place(`crowd${i}`).command }));
  await wait(ramp + 10);
  const m = await measured(home, s.rate, { payload: h.payload, now: async () => h.state() });
  await Promise.all(programs.map((w) => w.ended));
  const seen = programs.map((w) => JSON.parse(w.text.slice(w.text.indexOf("{"))));
  return { name: "Tuber, 1 booster, no browsers", n, ...m, stalls: seen.reduce((sum, s) => sum + s.stalls, 0), latency: median(seen.map((s) => s.latencyP50)) };
});

console.log("| what | viewers | payload / stream | interface / stream | behind live s | stalls | CPU |\n|---|---|---|---|---|---|---|");
let worst = 0; // of Tuber, at the interface
function row(r) {
  if (r.name.startsWith("Tuber")) worst = Math.max(worst, r.interface);
  console.log(`| ${r.name} | ${r.n} | ${r.payload?.toFixed(2) ?? "-"} | ${r.interface.toFixed(2)} | ${r.latency.toFixed(1)} | ${r.stalls} | ${(100 * r.load).toFixed(0)} %${r.load > 0.85 ? " (void)" : ""} |`);
}
if (viewers > 0) {
  for (const [name, prepare] of [
    ["Tuber, no booster", tuber(0)], ["Tuber, 1 booster", tuber(1)],
    ["p2p-media-loader, defaults", rival("sync=3")], ["p2p-media-loader, best (8 segments behind)", rival("sync=8&demand=4")],
  ]) row(await browsers(name, prepare));
}
for (const n of crowds) row(await crowd(n));
console.log(`copies ratio ${worst.toFixed(2)}`);
