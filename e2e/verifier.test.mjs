// The proof that the byte comparison sees: with the verifier broken on purpose
// it finds falsified segments, and in the same setup, intact, it finds none.
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { chromium, open, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { altered, instead } from "./lib/bundles.mjs";
import { flowing } from "./lib/crowd.mjs";
import { lying, lies } from "./lib/liars.mjs";

const comparison = "if (!equal(await sha256(own), digest)) throw";
const broken = { file: "wire/verified.ts", from: comparison, to: "if (equal(await sha256(own), new Uint8Array(32))) throw" };

// betrayed is a viewer with this bundle among two who alter a byte of every chunk they send.
async function betrayed(t, bundle) {
  const s = await site(t);
  const h = await host(t, s);
  const liars = [];
  for (let i = 0; i < 2; i++) {
    const page = await open(await chromium(t), h.page, { before: lying(["altered"]) });
    await playing(page, 1, 40);
    liars.push(page);
  }
  for (const page of liars) await flowing(page);
  const page = await open(await chromium(t), h.page, { before: recordResponses, prepare: instead(bundle) });
  await playing(page, 1, 40);
  assert.ok(page.replaced > 0, "the page runs the bundle of this test");
  return { s, liars, page };
}

test("with the verifier broken on purpose, the byte comparison finds wrong segments", async (t) => {
  const { s, page } = await betrayed(t, altered(t, [broken]));
  await until("a wrong segment is found", 60, async () => (await wrongSegments(page, s)).wrong.length > 0);
  assert.equal((await stats(page)).bad, 0, "the broken verifier itself notices nothing");
});

test("with the verifier intact, the same setup shows no wrong segment", async (t) => {
  const { s, liars, page } = await betrayed(t, altered(t, []));
  await until("a lie was told and caught", 60, async () => (await lies(liars)) > 0 && (await stats(page)).bad > 0);
  await playing(page, 8, 40);
  const { checked, wrong } = await wrongSegments(page, s);
  assert.ok(checked > 3, `${checked} segments were checked`);
  assert.deepEqual(wrong, []);
});
