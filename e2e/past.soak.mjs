// The past comes from boosters and peers: a late viewer that goes back in the
// playlist's window costs the origin nothing.
import { test } from "node:test";
import assert from "node:assert/strict";
import { host } from "./lib/host.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { boosted, flowing } from "./lib/crowd.mjs";
import { playlist, site } from "./lib/programs.mjs";

const WINDOW = 40; // segments listed: eighty seconds

test("a late viewer goes back to before it came, and the origin sees nothing of it", async (t) => {
  let s;
  s = await site(t, { playlist: () => playlist(s.onAir(), { window: WINDOW }) });
  const h = await host(t, s);
  await boosted(t, h);
  const first = await open(await chromium(t), h.page);
  await playing(first, 1, 40);
  await flowing(first);
  const held = s.onAir(); // from here on the booster has everything
  await until("there is a past", 60, () => s.onAir() >= held + 12);
  const late = await open(await chromium(t), h.page, { before: recordResponses });
  await playing(late, 1, 40);
  await flowing(late);
  await playing(late, 4, 40);

  const before = await stats(late);
  const asked = s.requests.length;
  const back = 20; // seconds: long before it came
  await late.evaluate((s) => { document.querySelector("video").currentTime -= s; }, back);
  await until("it plays there", 20, async () => {
    const { seeking, at } = await late.evaluate(() => { const v = document.querySelector("video"); return { seeking: v.seeking, at: v.currentTime }; });
    return !seeking && at > 0;
  });
  await playing(late, 6, 40);
  const after = await stats(late);
  const segment = Math.max(...s.clip.map((b) => b.length));
  assert.ok(after.answered - before.answered > 4 * segment, `the past was answered by the page: ${after.answered - before.answered} bytes`);
  const http = after.plain - before.plain + after.httpChunks - before.httpChunks;
  // One segment at most: on a busy machine peers may not bring the first one in time.
  assert.ok(http <= segment * 1.1, `${http} bytes came over HTTP; ${JSON.stringify({ before, after })}`);
  const again = s.requests.slice(asked).filter((url, i, all) => url.endsWith(".ts") && all.indexOf(url) !== i);
  assert.deepEqual(again, [], "the site gave each segment once");
  const { checked, wrong } = await wrongSegments(late, s);
  assert.ok(checked >= 4);
  assert.deepEqual(wrong, []);
  assert.ok((await figures(late)).playing);
});
