import { homes, scarce, scene, seconds, settle } from "./scarce.mjs";
import { host, median, wait } from "./tuber.mjs";
import { run } from "../../e2e/lib/programs.mjs";
import { writeFileSync } from "node:fs";
const n = Number(process.env.N ?? 20), supply = Number(process.env.SUPPLY ?? 1.35);
await scene(async (t) => {
  const sc = await scarce(t, supply, n);
  const h = await host(t, sc.home, sc.s.url, sc.declared);
  sc.cap();
  const all = [];
  const began = Date.now();
  const order = sc.ups.map((_, i) => i).sort((a, b) => ((a * 7) % sc.ups.length) - ((b * 7) % sc.ups.length));
  let at = 0;
  for (const place of homes(sc.land, sc.s.rate, sc.ups)) {
    const mine = Math.max(0.03, sc.ups[order[at++]] * sc.s.rate / 1e6 * Number(process.env.DECLARE));
    all.push(run(t, ["watch", h.page, ...(process.env.DECLARE ? ["--upload", `${Math.round(mine * 1000)}kbit/s`] : []), "--insecure", "--json", "--after", `${settle + 2 * (n - all.length)}s`, "--for", `${settle + seconds + 2 * (n - all.length)}s`], { within: place.command, env: { TUBER_DBG: '1' } }));
    await wait(2);
  }
  const look = setInterval(async () => {
    try { const s = await h.state(); 
      if (!look.once) { look.once = 1; console.log(Object.keys(s).join(" ")); }
      const ids = s.peerList.map((p) => p.role[0] + p.id.slice(0, 3) + ":" + (p.upload / 1e6).toFixed(2)).join(" "); console.log(ids);
      console.log(Math.round((Date.now() - began) / 1000), JSON.stringify({ viewers: s.viewers, short: s.short, up: s.upload, share: s.share, bound: s.bound, missing: s.missing, totals: s.totals, plan: s.plan }));
      writeFileSync("/tmp/dbg-state.json", JSON.stringify(s, null, 1));
    } catch (e) { console.log("" + e); }
  }, 5000);
  await Promise.all(all.map((w) => w.ended));
  clearInterval(look);
  for (const [i, w] of all.entries()) { try { const r = JSON.parse(w.text.slice(w.text.indexOf("{"))); delete r.latencyP99; console.log(i, JSON.stringify(r)); } catch (e) { console.log(i, "" + e); } }
  writeFileSync('/tmp/dbgp.txt', all.map((w, i) => w.text.split('\n').filter((l) => l.startsWith('DBGP') || l.startsWith('DBGX')).map((l) => i + ' ' + l).join('\n')).join('\n\n')); console.log(h.program.text.split("\n").filter((l) => l.startsWith("DBG") || l.startsWith("LEARN") || l.startsWith("BUSY") || l.startsWith("DBGP")).join("\n"));
});
