// A PeerConnection is replaced before it is old (design section 4): here every
// few seconds, by a page in whose source that number alone is another one. The
// new one delivers before the old one closes, so that the video knows nothing.
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { altered, instead } from "./lib/bundles.mjs";
import { boosted, flowing } from "./lib/crowd.mjs";

const file = "page/swarm.ts";
const cases = [
  ["of its age", { file, from: "RENEW_MS = 55 * 60_000;", to: "RENEW_MS = 4000;" }],
  ["of its records", { file, from: "RENEW_RECORDS = 2 ** 24 * 0.9;", to: "RENEW_RECORDS = 1500;" }], // some 1.6 MB
];

// count is run in the page before anything else: it counts PeerConnections.
const count = `(${recordResponses})(); window.connections = 0;
  window.RTCPeerConnection = class extends RTCPeerConnection { constructor(...a) { super(...a); window.connections++; } };`;

for (const [why, edit] of cases) {
  test(`links are renewed because ${why}, without a gap`, async (t) => {
    const s = await site(t);
    const h = await host(t, s);
    await boosted(t, h);
    const page = await open(await chromium(t), h.page, { before: count, prepare: instead(altered(t, [edit])) });
    await playing(page, 1, 60);
    assert.ok(page.replaced > 0, "the page runs the bundle of this test");
    await flowing(page);
    const before = { ...(await stats(page)), connections: await page.evaluate(() => connections) };
    await until("links are renewed", 60, async () => (await page.evaluate(() => connections)) >= before.connections + 4);
    await playing(page, 4, 30);
    const after = await stats(page);
    assert.ok(after.peers > before.peers + 1e6, "chunks flow");
    assert.ok(after.httpChunks + after.plain - before.httpChunks - before.plain < 1e5, `nothing had to come by HTTP: ${JSON.stringify([before, after])}`);
    assert.equal((await figures(page)).stalls, 0);
    const { checked, wrong } = await wrongSegments(page, s);
    assert.ok(checked > 5);
    assert.deepEqual(wrong, []);
  });
}
