// Viewers that a small line pressed down go up again when a booster joins.
import { test } from "node:test";
import assert from "node:assert/strict";
import { until } from "./lib/browser.mjs";
import { wrongSegments } from "./lib/bytes.mjs";
import { boosted } from "./lib/crowd.mjs";
import { levels, squeezed } from "./lib/squeezed.mjs";

test("viewers go up when a booster joins", async (t) => {
  const { s, h, pages } = await squeezed(t);
  const sum = async () => (await levels(pages)).reduce((a, b) => a + b, 0);
  const then = await sum();
  await boosted(t, h);
  await until("they go up", 300, async () => (await sum()) > then);
  for (const page of pages) assert.deepEqual((await wrongSegments(page, s)).wrong, []);
});
