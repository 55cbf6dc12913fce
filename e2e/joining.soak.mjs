// Viewers who come to a line that is full already: behind 3 Mbit/s, four of a
// stream in three renditions, none of whom passes anything on. Nobody stalls,
// neither those who join nor those who are there.
import { test } from "node:test";
import assert from "node:assert/strict";
import { host } from "./lib/host.mjs";
import { figures, playing, stats } from "./lib/browser.mjs";
import { wrongSegments } from "./lib/bytes.mjs";
import { renditionsSite } from "./lib/forms.mjs";
import { levels, receiving, viewer } from "./lib/squeezed.mjs";

test("who joins a full line does not stall, nor does anybody else", async (t) => {
  const s = await renditionsSite(t);
  const h = await host(t, s, { args: ["--uplink", "3Mbit/s"] });
  const pages = [];
  const stalls = () => Promise.all(pages.map(async (p) => (await figures(p)).stalls));
  const at = async () => JSON.stringify({ levels: await levels(pages), stats: await Promise.all(pages.map(stats)) });
  for (let n = 0; n < 4; n++) {
    pages.push(await viewer(t, h, receiving));
    await playing(pages[n], 6, 40);
    assert.deepEqual(await stalls(), pages.map(() => 0), `viewer ${n + 1} has joined: ${await at()}`);
  }
  await Promise.all(pages.map((p) => playing(p, 15, 40)));
  assert.deepEqual(await stalls(), [0, 0, 0, 0], await at());
  for (const page of pages) {
    assert.ok((await stats(page)).peers > 2e5, "chunks flow");
    assert.deepEqual((await wrongSegments(page, s)).wrong, []);
  }
});
