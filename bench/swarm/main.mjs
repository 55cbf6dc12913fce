// One booster and four Chromium viewers on the demo's stream: how much comes
// from peers, how much the home line sends, whether anyone stalls, how far
// behind live they are, and how long the first frame takes with and without
// Tuber. Needs root: the host lives in a network namespace of its own, whose
// interface counts every byte. Run it with `make bench-swarm`.
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, open, figures, stats, playing, until } from "../../e2e/lib/browser.mjs";
import { run, site } from "../../e2e/lib/programs.mjs";
import { homeLine } from "./netns.mjs";

const viewers = Number(process.env.VIEWERS ?? 4);
const seconds = Number(process.env.SECONDS ?? 60);
const rounds = Number(process.env.ROUNDS ?? 15);
const joinSeconds = 10; // after a viewer comes, until the host sends no more than before

const cleanups = [];
const t = { after: (f) => cleanups.push(f) };
const median = (v) => { const s = v.slice().sort((a, b) => a - b); return (s[(s.length - 1) >> 1] + s[s.length >> 1]) / 2; };
const cpu = () => readFileSync("/proc/stat", "utf8").split("\n")[0].trim().split(/\s+/).slice(1, 9).map(Number);
const busy = (a, b) => { const d = b.map((v, i) => v - a[i]); const all = d.reduce((x, y) => x + y); return 1 - (d[3] + d[4]) / all; };

// certificate is self-made; the browsers are told its key.
function certificate(dir, address) {
  const key = join(dir, "key.pem"), cert = join(dir, "cert.pem");
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-keyout", key, "-out", cert, "-subj", "/CN=bench", "-addext", `subjectAltName=IP:${address}`], { stdio: "ignore" });
  const der = execFileSync("sh", ["-c", `openssl x509 -in ${cert} -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64`]).toString().trim();
  return { key, cert, pin: der };
}

async function main() {
  const dir = mkdtempSync(join(tmpdir(), "tuber-bench-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const line = homeLine();
  t.after(() => line.close());
  const tls = certificate(dir, line.address);
  const flags = [`--ignore-certificate-errors-spki-list=${tls.pin}`];
  const s = run(t, ["demo", "--site-only", "--listen", "127.0.0.1:0"], { within: line.command });
  const [, upstream] = await s.line(/site\s+(http:\S+)/);
  const h = run(t, ["host", "--upstream", upstream, "--listen", `${line.address}:8443`, "--cert", tls.cert, "--key", tls.key,
    "--control-listen", `${line.address}:8444`, "--udp-listen", `${line.address}:0`, "--stun-listen", "off", "--no-upnp", "--public-host", line.address, "--state", join(dir, "host")], { within: line.command });
  await h.line(/site\s+(https:\S+)/);
  const page = `https://${line.address}:8443/`;
  const invite = run(t, ["invite", "create", "--state", join(dir, "host")]);
  const [, link] = await invite.line(/(https:\S+#\S+)/);
  run(t, ["boost", "--state", join(dir, "booster"), "--no-upnp", "--upload", "50Mbit/s", link]);

  const pages = [];
  let last;
  for (let i = 0; i < viewers; i++) {
    const browser = await chromium(t, { flags });
    last = { at: Date.now(), sent: line.sent() };
    pages.push(await open(browser, page));
    await playing(pages[i], 1, 40);
  }
  await new Promise((r) => setTimeout(r, joinSeconds * 1000 - (Date.now() - last.at)));
  const arrival = { took: (Date.now() - last.at) / 1000, sent: line.sent() - last.sent };
  for (const p of pages) await until("chunks flow", 40, async () => (await stats(p))?.peers > 2e6);
  await playing(pages[0], 10, 40); // let the plan settle

  const begin = { at: Date.now(), sent: line.sent(), cpu: cpu(), stats: await Promise.all(pages.map(stats)), figures: await Promise.all(pages.map(figures)) };
  await new Promise((r) => setTimeout(r, seconds * 1000));
  const end = { at: Date.now(), sent: line.sent(), cpu: cpu(), stats: await Promise.all(pages.map(stats)), figures: await Promise.all(pages.map(figures)) };
  const sum = (key) => end.stats.reduce((a, v, i) => a + v[key] - begin.stats[i][key], 0);
  const peers = sum("peers"), http = sum("httpChunks") + sum("plain");
  const took = (end.at - begin.at) / 1000;
  const rate = peers + http > 0 ? ((peers + http) / viewers / took) * 8 : 0;
  const upload = ((end.sent - begin.sent) / took) * 8;
  const stalls = end.figures.reduce((a, f, i) => a + f.stalls - begin.figures[i].stalls, 0);
  const load = busy(begin.cpu, end.cpu);
  console.log(`| figure | value |\n|---|---|`);
  console.log(`| viewers, seconds | ${viewers}, ${took.toFixed(0)} |`);
  console.log(`| share of bytes not from HTTP | ${((100 * peers) / (peers + http)).toFixed(1)} % |`);
  console.log(`| stream as received | ${(rate / 1e6).toFixed(2)} Mbit/s |`);
  console.log(`| host's interface sends | ${(upload / 1e6).toFixed(2)} Mbit/s = ${(upload / rate).toFixed(2)} x the stream |`);
  console.log(`| the last viewer's join, beyond the stream | ${((arrival.sent - (upload / 8) * arrival.took) / 1024).toFixed(0)} KiB in ${arrival.took.toFixed(0)} s |`);
  console.log(`| stalls | ${stalls} |`);
  console.log(`| behind live, median of viewers | ${median(end.figures.map((f) => f.latency)).toFixed(1)} s (${end.figures.map((f) => f.latency.toFixed(1)).join(", ")}) |`);
  console.log(`| CPU of the machine | ${(100 * load).toFixed(0)} %${load > 0.85 ? " (void: above 85 %)" : ""} |`);

  const first = { with: [], without: [] };
  const plain = await site(t);
  const dsite = run(t, ["host", "--upstream", plain.url, "--listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0", "--udp-listen", "127.0.0.1:0", "--stun-listen", "off", "--no-upnp", "--public-host", "127.0.0.1", "--state", join(dir, "second")]);
  const [, through] = await dsite.line(/site\s+(http:\S+)/);
  for (const p of pages) await p.browser().close();
  const warm = await firstFrame(through.replace("127.0.0.1", "localhost"), []);
  for (let i = 0; i < rounds; i++) {
    const turns = [["without", plain.url + "/"], ["with", through]];
    for (const [name, url] of i % 2 ? turns.reverse() : turns) first[name].push(await firstFrame(url.replace("127.0.0.1", "localhost"), []));
  }
  const ratio = median(first.with.map((v, i) => v / first.without[i]));
  console.log(`| first frame without Tuber | ${median(first.without).toFixed(0)} ms |`);
  console.log(`| first frame with Tuber | ${median(first.with).toFixed(0)} ms (first of all ${warm.toFixed(0)} ms) |`);
  console.log(`| first frame, ratio | ${ratio.toFixed(2)} |`);
  console.log(`first-frame ratio ${ratio.toFixed(2)}`);
  console.log(`swarm ratio ${(upload / rate).toFixed(2)}`);
}

// firstFrame is milliseconds from navigation to the first frame shown, in a fresh profile.
async function firstFrame(url, flags) {
  const own = [];
  const browser = await chromium({ after: (f) => own.push(f) }, { flags });
  const page = await open(browser, url, { before: () => {
    addEventListener("DOMContentLoaded", () => {
      document.querySelector("video").requestVideoFrameCallback((now) => { window.firstFrame = now; });
    });
  } });
  const ms = await until("first frame", 30, () => page.evaluate(() => window.firstFrame));
  for (const f of own) await f();
  return ms;
}

try {
  await main();
} finally {
  for (const f of cleanups.reverse()) await f();
}
