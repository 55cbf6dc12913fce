// A weak home line and no booster: viewers without browsers, who could each send
// twice what they watch, come one after the other behind a host whose line carries
// three streams. Who plays, how soon, and for how much of the time they stand
// still. Run it with `make bench-weakline` (root).
import { country, cpu, busy } from "./country.mjs";
import { host, median, site, wait } from "./tuber.mjs";
import { scene } from "./scarce.mjs";
import { run } from "../../e2e/lib/programs.mjs";

const n = Number(process.env.VIEWERS ?? 6);
const times = Number(process.env.TIMES ?? 3); // the stream's rate, that the line carries
const every = Number(process.env.EVERY ?? 6); // seconds from one viewer to the next
const seconds = Number(process.env.SECONDS ?? 70); // after the last one
const own = 2; // times the stream's rate, that a viewer's line carries

const behind = (declared) => scene(async (t) => {
  const land = country(t);
  const home = land.place("home");
  const s = await site(t, home, { at: `${home.address}:8080` });
  const kbits = (x) => `${Math.round(x * s.rate / 1000)}kbit/s`;
  home.cap(times * s.rate / 1e6);
  const h = await host(t, home, s.url, declared ? ["--uplink", kbits(times)] : []);
  const all = [], load = cpu();
  for (let i = 0; i < n; i++) {
    const place = land.place(`v${i}`, { up: 1.1 * own * s.rate / 1e6 });
    all.push(run(t, ["watch", h.page, "--insecure", "--json", "--for", `${seconds + every * (n - i)}s`, "--upload", kbits(own)], { within: place.command }));
    await wait(every);
  }
  await Promise.all(all.map((w) => w.ended));
  const seen = all.map((w) => JSON.parse(w.text.slice(w.text.indexOf("{"))));
  const sum = (key) => seen.reduce((x, r) => x + r[key], 0);
  return {
    stalled: sum("stallTime") / (sum("playTime") + sum("stallTime")), stalls: sum("stalls"),
    first: seen.map((r) => r.firstFrameP50), latency: median(seen.map((r) => r.latencyP50)), load: busy(load, cpu()),
  };
});

console.log("| line | viewers | stalled, share of the time | stalls | first frame s, median and worst | behind live s | CPU |\n|---|---|---|---|---|---|---|");
let ratio;
for (const declared of [true, false]) {
  const r = await behind(declared);
  ratio ??= r.stalled;
  console.log(`| ${times} x the stream, ${declared ? "" : "not "}declared | ${n} | ${(100 * r.stalled).toFixed(1)} % | ${r.stalls} | ${median(r.first).toFixed(1)}, ${Math.max(...r.first).toFixed(1)} | ${r.latency.toFixed(1)} | ${(100 * r.load).toFixed(0)} % |`);
}
console.log(`weakline ratio ${ratio.toFixed(3)}`);
