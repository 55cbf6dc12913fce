// Several viewers of one site, and what holds for all of them.
import assert from "node:assert/strict";
import { site } from "./programs.mjs";
import { host, booster } from "./host.mjs";
import { chromium, open, figures, stats, playing, until } from "./browser.mjs";
import { recordResponses, wrongSegments } from "./bytes.mjs";

// crowd is a site, a host, a booster unless told otherwise, and viewers to whom chunks flow.
export async function crowd(t, size, { withBooster = true, hooks, before = recordResponses } = {}) {
  const s = await site(t, hooks);
  const h = await host(t, s);
  const friend = withBooster ? await boosted(t, h) : undefined;
  const pages = [];
  for (let i = 0; i < size; i++) {
    const page = await open(await chromium(t), h.page, { before });
    await playing(page, 1, 40);
    pages.push(page);
  }
  for (const page of pages) await flowing(page);
  return { s, h, friend, pages };
}

// boosted adds a booster and waits until the host has it.
export async function boosted(t, h, options) {
  const before = (await h.state()).boosters;
  const friend = booster(t, await h.invite(), options);
  await until("the booster is here", 20, async () => (await h.state()).boosters === before + 1);
  return friend;
}

// A fault counts only if chunks flowed before it.
export const flowing = (page) => until("chunks flow", 40, async () => ((await stats(page))?.peers ?? 0) > 1e6);

// unharmed: all play on for some seconds, nobody stalled, every byte is right.
export async function unharmed(s, pages, seconds = 10) {
  for (const page of pages) await playing(page, seconds, seconds + 20);
  for (const page of pages) {
    assert.equal((await figures(page)).stalls, 0, "nobody stalls");
    const { checked, wrong } = await wrongSegments(page, s);
    assert.ok(checked > 3);
    assert.deepEqual(wrong, []);
  }
}
