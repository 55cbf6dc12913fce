// Time to the first frame, from navigation, in a fresh Chromium: with Tuber over
// without, the site's home line idle, then saturated by viewers who watch already.
// Both over plain HTTP, with a flag that has the browser take it for secure. A line that Tuber's peers have taken the viewers off has room for who comes.
// Run it with `make bench-firstframe` (root).
import { country, cpu, busy } from "./country.mjs";
import { booster, figures, host, median, site, started, viewer, wait } from "./tuber.mjs";
import { scene } from "./scarce.mjs";
import { until } from "../../e2e/lib/browser.mjs";

const rounds = Number(process.env.ROUNDS ?? 5);
const limit = 120; // seconds: a full line may take long
const settle = Number(process.env.SETTLE ?? 30);

// first is the median of the newcomers' first frames in milliseconds.
const first = (watchers, line, prepare) => scene(async (t) => {
  const land = country(t);
  const home = land.place("home");
  const s = await site(t, home, { at: `${home.address}:8080` });
  home.cap(line * s.rate / 1e6);
  const to = await prepare(t, land, home, s, line);
  const place = land.place("new"); // early: a page fails while its network comes up
  const pages = [];
  for (let i = 0; i < watchers; i++) {
    pages.push(await viewer(t, land.place(`v${i}`), to.url, to.flags));
    await wait(8);
  }
  await started(pages);
  await wait(settle);
  const took = [], load = cpu(), stalls = (await figures(pages)).map((f) => f.stalls);
  for (let i = 0; i < rounds; i++) {
    const own = [];
    const page = await viewer({ after: (f) => own.push(f) }, place, to.url, to.flags, { prepare: (page) => page.setDefaultNavigationTimeout(limit * 1000) });
    took.push(await until("first frame", limit, async () => (await figures([page]))[0].first));
    for (const f of own.reverse()) await f();
    await wait(6);
  }
  console.error(took.map(Math.round).join(" "));
  return { ms: median(took), worst: Math.max(...took), stalls: (await figures(pages)).reduce((sum, f, i) => sum + f.stalls - stalls[i], 0), load: busy(load, cpu()) };
});

const plain = async (t, land, home, s) => ({ url: s.url, flags: [] });
const tuber = async (t, land, home, s, line) => {
  const h = await host(t, home, s.url, ["--uplink", `${Math.round(line * s.rate / 1000)}kbit/s`], { plain: true });
  await booster(t, land.place("b0"), await h.invite());
  return { url: h.page, flags: [`--unsafely-treat-insecure-origin-as-secure=${new URL(h.page).origin}`] };
};

console.log("| home line | first frame without Tuber, ms (worst) | with Tuber | ratio | stalls of the others, without and with | CPU |\n|---|---|---|---|---|---|");
let ratio;
for (const [name, watchers, line] of [["idle, 15 x the stream", 0, 15], ["2.2 x the stream, two watch", 2, 2.2]]) {
  const a = await first(watchers, line, plain), b = await first(watchers, line, tuber);
  ratio = b.ms / a.ms;
  const load = Math.max(a.load, b.load);
  console.log(`| ${name} | ${a.ms.toFixed(0)} (${a.worst.toFixed(0)}) | ${b.ms.toFixed(0)} (${b.worst.toFixed(0)}) | ${ratio.toFixed(2)} | ${a.stalls}, ${b.stalls} | ${(100 * load).toFixed(0)} %${load > 0.85 ? " (void)" : ""} |`);
}
console.log(`firstframe ratio ${ratio.toFixed(2)}`);
