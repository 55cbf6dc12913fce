// A country of homes: eight Chromium and two Firefox viewers, a booster and the
// host, each behind a line of its own with a capped upload (network namespaces,
// HTB); one viewer saves data, on a line that carries next to nothing up. Needs root.
import { test } from "node:test";
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { busy, country, cpu } from "../bench/rivals/country.mjs";
import { booster, host, site } from "../bench/rivals/tuber.mjs";
import { until } from "./lib/browser.mjs";

const KBITS = 250; // two cores carry ten browsers no better picture
const CHROMIUMS = 8, FIREFOXES = 2;
const weak = 3; // the viewer that only downloads

// viewer begins a browser at a place; say() is what its page says.
function viewer(t, place, browser, address, saving) {
  const script = fileURLToPath(new URL("lib/inside.mjs", import.meta.url));
  const child = spawn(place.command[0], [...place.command.slice(1), process.execPath, script, browser, address, ...(saving ? ["saving"] : [])], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((r) => child.on("exit", r));
  t.after(async () => { if (child.exitCode === null) child.stdin.end("end\n"); await ended; });
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${browser} at ${place.ns} ended`);
    return value;
  };
  return { browser, place, opened: next(), say: async () => { child.stdin.write("\n"); return JSON.parse(await next()); } };
}

test("ten browsers and a booster behind capped lines", { skip: process.getuid() !== 0 && "needs root" }, async (t) => {
  const cleanups = [];
  t.after(async () => { for (const f of cleanups.reverse()) await f(); }); // browsers end before their homes
  const c = { after: (f) => cleanups.push(f) };
  const land = country(c);
  const home = land.place("home");
  const s = await site(c, home, { at: `${home.address}:8080`, kbits: KBITS });
  const line = (6 * s.rate) / 1e6; // ten viewers need ten
  const h = await host(c, home, s.url, ["--uplink", `${line.toFixed(1)}Mbit/s`], { plain: true });
  home.cap(line);
  await booster(c, land.place("b0", { up: 4 }), await h.invite(), { upload: "3Mbit/s" });
  const all = [];
  for (let i = 0; i < CHROMIUMS + FIREFOXES; i++) {
    const v = viewer(c, land.place(`v${i}`, { up: i === weak ? 0.1 : 1 }), i < CHROMIUMS ? "chromium" : "firefox", new URL(h.page).host, i === weak);
    await v.opened;
    await until(`viewer ${i} plays`, 90, async () => (await v.say()).time > 1);
    all.push(v);
  }
  await until("chunks flow to all", 120, async () => (await Promise.all(all.map((v) => v.say()))).every((f) => (f.tuber?.peers ?? 0) > 300e3));

  const load = cpu();
  const [before, payload, began] = [await Promise.all(all.map((v) => v.say())), h.payload(), Date.now()];
  await until("all play on for half a minute", 90, async () => (await Promise.all(all.map((v) => v.say()))).every((f, i) => f.time > before[i].time + 30));
  const [after, copies] = [await Promise.all(all.map((v) => v.say())), ((h.payload() - payload) * 8) / s.rate / ((Date.now() - began) / 1000)];
  t.diagnostic(`the machine was busy for ${Math.round(100 * busy(load, cpu()))} % of the time`);
  for (const [i, f] of after.entries()) {
    const peers = f.tuber.peers - before[i].tuber.peers;
    const plain = f.tuber.plain - before[i].tuber.plain + f.tuber.httpChunks - before[i].tuber.httpChunks;
    t.diagnostic(`${all[i].browser} ${i}: ${peers} bytes from peers, ${plain} by HTTP, ${f.stalls - before[i].stalls} stalls, sent ${f.tuber.sent}`);
    assert.ok(peers / (peers + plain) > 0.9, `viewer ${i} had ${peers} of ${peers + plain} bytes from peers: ${JSON.stringify([before[i], f])}`);
    assert.equal(f.stalls, before[i].stalls, `viewer ${i} stalled`);
  }
  t.diagnostic(`${copies.toFixed(2)} copies of the stream left the host`);
  assert.ok(copies < 2, `${copies.toFixed(2)} copies of the stream left the host: ten viewers watch`);
});
