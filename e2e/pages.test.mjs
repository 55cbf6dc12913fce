// Tuber's own pages in a real browser, and sites that have rules of their own.
import { test } from "node:test";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { boosted, crowd, flowing } from "./lib/crowd.mjs";
import { readCode, shown, text } from "./lib/screens.mjs";

test("the dashboard shows the swarm, makes and revokes invites, and switches off", async (t) => {
  const { h, pages } = await crowd(t, 2);
  const page = await open(await chromium(t), h.dashboard);
  await page.setViewport({ width: 1200, height: 1000 });
  await until("two viewers and a booster", 20, async () => (await text(page, "#viewers")) === "2" && (await text(page, "#boosters")) === "1");
  await until("the graph is drawn", 20, () => page.$eval("#graph", (g) => g.querySelector(".upload")?.points.length > 2));
  await until("most bytes come from peers", 30, async () => parseInt(await text(page, "#share")) > 30);
  assert.match(await text(page, "#stream-table"), /\/live\/index\.m3u8/);

  await page.type("[name=note]", "Ann");
  await page.click("#invite-form button");
  await until("the invite is shown", 10, () => shown(page, "#fresh"));
  const link = await text(page, "#fresh-url");
  assert.match(link, /^https:\/\/127\.0\.0\.1:\d+\/\.tuber\/join#[\w-]{100,}$/);
  assert.equal(await readCode(page, "#fresh-qr"), link);
  await page.click("#hide-fresh");
  assert.ok(!(await page.content()).includes(link.split("#")[1]), "it is shown once");

  const revoke = async () => page.evaluate(() => [...document.querySelectorAll("#invite-table tr")]
    .find((tr) => tr.textContent.includes("Ann"))?.querySelector("button")?.click());
  await until("it is listed", 10, async () => (await text(page, "#invite-table")).includes("Ann"));
  await until("it is revoked by the second press", 10, async () => {
    await revoke();
    return (await h.state()).invites.find((v) => v.note === "Ann").revoked;
  });
  await until("it is listed no more", 10, async () => !(await text(page, "#invite-table")).includes("Ann"));

  await page.click("#switch");
  await until("it says so", 10, async () => (await text(page, "#state")) === "Peers are switched off");
  assert.equal((await h.state()).enabled, false);
  await until("the viewers are sent back to HTTP", 30, async () => (await h.state()).viewers === 0);
  for (const viewer of pages) await playing(viewer, 2);
  await page.click("#switch");
  await until("it is on again", 10, async () => (await h.state()).enabled === true);
  assert.deepEqual(page.said, []);
});

test("without its secret the dashboard shows nothing", async (t) => {
  const h = await host(t, await site(t));
  for (const path of ["", "api/state", "metrics"]) {
    const r = await fetch(new URL("/" + path, h.dashboard));
    assert.ok([401, 403].includes(r.status), `${path}: ${r.status}`);
  }
});

test("the join page shows the invite, and its secret goes nowhere", async (t) => {
  const s = await site(t);
  const h = await host(t, s, { args: ["--verbose"] });
  const link = await h.invite();
  const secret = link.split("#")[1];
  const browser = await chromium(t);
  const sent = [];
  const page = await open(browser, h.page + ".tuber/join#" + secret, { before: () => { navigator.clipboard.writeText = async (what) => { window.copied = what; }; }, prepare: async (p) => {
    const devtools = await p.createCDPSession();
    devtools.on("Network.requestWillBeSent", ({ request }) => sent.push(request.url + (request.postData ?? "")));
    devtools.on("Network.requestWillBeSentExtraInfo", ({ headers }) => sent.push(JSON.stringify(headers)));
    await devtools.send("Network.enable");
  } });
  await until("the invite is shown", 10, () => shown(page, "#invite"));
  const here = `${new URL(h.page).host}/.tuber/join#${secret}`;
  assert.equal(await page.$eval("#open", (a) => a.href), "tuber://" + here);
  assert.equal(await readCode(page, "#qr"), "https://" + here);
  await page.click("#copy");
  await until("it is copied", 5, async () => (await page.evaluate(() => window.copied)) === "https://" + here);
  assert.equal(await text(page, "#command"), `tuber boost 'https://${here}'`);
  assert.ok(sent.length > 3, "requests were seen");
  for (const where of [...sent, ...s.requests, h.text]) assert.ok(!where.includes(secret), "the secret is in " + where);

  await page.goto(h.page + ".tuber/join");
  assert.ok(await shown(page, "#none"), "a link without its secret says what is wrong");
  assert.deepEqual(page.said, []);
});

test("a viewer who switches off on the privacy page uploads nothing afterwards", async (t) => {
  const { h, pages: [page, other] } = await crowd(t, 2, { withBooster: false });
  await until("it passes on", 60, async () => (await stats(page)).sent > 2e5);
  const own = await open(page.browser(), h.page + ".tuber/privacy");
  await until("it says so", 10, async () => (await text(own, "#now")) === "You pass videos on");
  await own.click("#switch");
  assert.equal(await text(own, "#now"), "You pass nothing on");
  await own.close();
  await page.bringToFront();
  const settled = (await stats(page)).sent;
  await playing(other, 6);
  assert.ok((await stats(page)).sent - settled < 64 * 1024, "only what was on its way");
  const after = (await stats(page)).sent;
  const got = (await stats(page)).peers;
  await playing(other, 6);
  assert.equal((await stats(page)).sent, after);
  assert.ok((await stats(page)).peers > got, "it receives all the same");
  assert.equal((await figures(other)).stalls, 0);
});

// Sites register their worker early, while the page is read, or after it was
// loaded, and its script may take a while to come.
const later = 'addEventListener("load", () => CALL)';
for (const [when, call, takes] of [["at once", "CALL", 0], ["at once, slowly,", "CALL", 5000], ["after loading", later, 0], ["after loading, slowly,", later, 1500]]) {
  test(`a site that registers its own service worker ${when} keeps it, and video comes through peers`, async (t) => {
    const worker = 'addEventListener("fetch", (e) => { if (new URL(e.request.url).pathname === "/own") e.respondWith(new Response("from the site\'s worker")); });';
    const script = call.replace("CALL", 'navigator.serviceWorker.register("/own-sw.js")');
    const s = await site(t, {
      page: (html) => html.replace("<head>", `<head><script>${script}</script>`),
      any: (req, res) => req.url === "/own-sw.js" && setTimeout(() => res.writeHead(200, { "Content-Type": "text/javascript" }).end(worker), takes),
    });
    const h = await host(t, s);
    await boosted(t, h);
    const page = await open(await chromium(t), h.page);
    await playing(page, 1, 40);
    const scripts = () => page.evaluate(async () => (await navigator.serviceWorker.getRegistrations())
      .flatMap((r) => [r.installing, r.waiting, r.active].filter(Boolean).map((w) => new URL(w.scriptURL).pathname)));
    await until("the site's worker is the newest", 20, async () => (await scripts())[0] === "/own-sw.js");
    await page.goto("about:blank"); // whatever worker the first visit had goes
    await page.goto(h.page, { waitUntil: "domcontentloaded" });
    await until("the site's worker is in control", 20, () => page.evaluate(() => navigator.serviceWorker.controller?.scriptURL.endsWith("/own-sw.js")));
    assert.equal(await page.evaluate(async () => (await fetch("/own")).text()), "from the site's worker");
    await flowing(page);
    await until("the player is answered from peers", 30, async () => (await stats(page)).answered > 1e6);
    assert.deepEqual(await scripts(), ["/own-sw.js"]);
  });
}

const base = "default-src 'self'; style-src 'unsafe-inline'; img-src data:; media-src blob:; worker-src 'self' blob:; ";
const loader = '["/hls.light.min.js", "/player.js"].forEach((src) => document.body.append(Object.assign(document.createElement("script"), { src, async: false })));';

// guarded serves the sample page under a content security policy.
const guarded = (policy, change) => ({ page: change, any: (req, res) => void (req.url === "/" && res.setHeader("Content-Security-Policy", base + policy)) });

test("a site whose policy has a nonce: it is reused", async (t) => {
  const s = await site(t, guarded("script-src 'nonce-c2FtcGxl' 'strict-dynamic'", (html) => html.replaceAll("<script ", '<script nonce="c2FtcGxl" ')));
  const h = await host(t, s);
  await boosted(t, h);
  const page = await open(await chromium(t), h.page);
  await playing(page, 1, 40);
  await flowing(page);
  assert.deepEqual(page.said, []);
});

test("a site whose policy has hashes alone is left alone, and plays", async (t) => {
  const hash = createHash("sha256").update(loader).digest("base64");
  const s = await site(t, guarded(`script-src 'sha256-${hash}' 'strict-dynamic'`, (html) =>
    html.replace(/<script src="\/hls.*<\/script>/s, `<script>${loader}</script>`)));
  const h = await host(t, s);
  const page = await open(await chromium(t), h.page);
  await playing(page, 4, 40);
  assert.equal(await page.evaluate(() => typeof window.tuber), "undefined");
  assert.ok(!(await page.content()).includes("/.tuber/"), "nothing was injected");
  assert.deepEqual(page.said, []);
  await h.line(/content security policy|Content-Security-Policy|CSP/i, 5);
});
