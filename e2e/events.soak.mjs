// A page that came by HTTP/2 and whose WebSocket does not come through talks to
// the planner by Server-Sent Events and POSTs on the connection that it has.
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { certificate } from "./lib/certificate.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { boosted, flowing } from "./lib/crowd.mjs";

// bar is run in the page before anything else: no WebSocket can be opened.
const bar = `(${recordResponses})(); window.WebSocket = class { constructor() { throw new Error("barred"); } };`;

async function watched(t) {
  const s = await site(t);
  const { args, flags } = certificate(t);
  const h = await host(t, s, { args });
  await boosted(t, h);
  const page = await open(await chromium(t, { flags }), h.page, { before: bar });
  assert.equal(await page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol), "h2");
  await playing(page, 1, 60);
  await flowing(page);
  return { s, h, page };
}

const posts = (page) => page.evaluate(() => performance.getEntriesByType("resource").filter((e) => e.name.includes("/.tuber/control/send")).map((e) => e.nextHopProtocol));

test("over HTTP/2, by events and posts", async (t) => {
  const { s, h, page } = await watched(t);
  const sent = await posts(page);
  assert.ok(sent.length > 0 && sent.every((p) => p === "h2"), `posts went by ${sent}`);

  await h.planner(false);
  await until("the session has ended", 20, async () => !(await stats(page)).joined);
  await playing(page, 3, 20);
  await h.planner(true);
  await until("it is a member again", 60, async () => (await stats(page)).joined && (await h.state()).viewers === 1);
  await playing(page, 5, 30);
  assert.equal((await figures(page)).stalls, 0);
  const { checked, wrong } = await wrongSegments(page, s);
  assert.ok(checked > 3);
  assert.deepEqual(wrong, []);
  await page.close();
  await until("it has left", 45, async () => (await h.state()).viewers === 0);
});
