// Low-latency HLS through peers: parts that are byte ranges of their segment.
import { test } from "node:test";
import assert from "node:assert/strict";
import { chromium } from "./lib/browser.mjs";
import { lowLatencySite } from "./lib/lowlatency.mjs";
import { MOSTLY, steady, unharmed, watched } from "./lib/parts.mjs";

test("parts that are byte ranges of their segment", async (t) => {
  const s = await lowLatencySite(t, { ranged: true });
  const { pages } = await watched(t, s, [chromium, chromium]);
  const got = await steady(pages, 10);
  t.diagnostic(JSON.stringify(got));
  for (const { share } of got) assert.ok(share > MOSTLY, `${(share * 100).toFixed(1)} % came from peers`);
  await unharmed(s, pages);
});
