// A page that came by HTTP/2 talks to the planner by Server-Sent Events and
// POSTs on the connection that it has, and by a WebSocket where events do not
// come through.
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { certificate } from "./lib/certificate.mjs";
import { chromium, open, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { boosted, flowing } from "./lib/crowd.mjs";

// count is run in the page before anything else: it counts the WebSockets opened.
const count = `(${recordResponses})(); window.sockets = 0;
  window.WebSocket = class extends WebSocket { constructor(...a) { super(...a); window.sockets++; } };`;
const bar = `${count} window.EventSource = class { constructor() { throw new Error("barred"); } };`;

async function watched(t, before) {
  const s = await site(t);
  const { args, flags } = certificate(t);
  const h = await host(t, s, { args });
  await boosted(t, h);
  const page = await open(await chromium(t, { flags }), h.page, { before });
  assert.equal(await page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol), "h2");
  await playing(page, 1, 60);
  await flowing(page);
  return { s, h, page };
}

const posts = (page) => page.evaluate(() => performance.getEntriesByType("resource").filter((e) => e.name.includes("/.tuber/control/send")).map((e) => e.nextHopProtocol));
const sockets = (page) => page.evaluate(() => window.sockets);

// right: the video moves on, chunks come from peers, and every byte is the site's.
async function right(s, page) {
  const { peers } = await stats(page);
  await playing(page, 4, 40);
  await until("chunks flow", 30, async () => (await stats(page)).peers > peers + 5e5);
  const { checked, wrong } = await wrongSegments(page, s);
  assert.ok(checked > 3, `${checked} segments were checked`);
  assert.deepEqual(wrong, []);
}

test("over HTTP/2, by events and posts", async (t) => {
  const { s, h, page } = await watched(t, count);
  const sent = await posts(page);
  assert.ok(sent.length > 0 && sent.every((p) => p === "h2"), `posts went by ${sent}`);
  assert.equal(await sockets(page), 0, "no WebSocket was opened");
  await right(s, page);

  await h.planner(false);
  await until("the session has ended", 30, async () => !(await stats(page)).joined);
  await playing(page, 3, 30);
  await h.planner(true);
  await until("it is a member again", 90, async () => (await stats(page)).joined && (await h.state()).viewers === 1);
  await right(s, page);
  await page.close();
  await until("it has left", 45, async () => (await h.state()).viewers === 0);
});

test("over HTTP/2 whose events do not come through, by a WebSocket", async (t) => {
  const { s, page } = await watched(t, bar);
  assert.ok((await sockets(page)) > 0, "a WebSocket was opened");
  assert.equal((await posts(page)).length, 0, "nothing was posted");
  await right(s, page);
});
