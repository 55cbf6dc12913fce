// Viewers of a low-latency stream through peers, and what they were answered with.
import assert from "node:assert/strict";
import { host } from "./host.mjs";
import { open, figures, stats, playing, until } from "./browser.mjs";
import { recordResponses, wrongSegments } from "./bytes.mjs";
import { boosted, flowing } from "./crowd.mjs";

export const MOSTLY = 0.8; // of the bytes: on a busy machine some are so late that HTTP must bring them

// partsOf are the parts among paths; partsSeen is how many a player was given:
// only one that is close to live asks for them.
export const partsOf = (paths) => paths.filter((path) => /\d+\.\d+\.m4s/.test(path));
export const partsSeen = async (page) => partsOf(await page.evaluate(() => window.seenSegments.map(([path]) => path))).length;

// watched is a host before this site, a booster, and viewers to whom chunks flow.
export async function watched(t, s, launchers) {
  const h = await host(t, s);
  const friend = await boosted(t, h);
  const pages = [];
  for (const launch of launchers) {
    const page = await open(await launch(t), h.page, { before: recordResponses });
    await playing(page, 1, 60);
    pages.push(page);
  }
  for (const page of pages) await flowing(page);
  return { h, friend, pages };
}

// steady measures what players were answered with over some seconds of playing,
// and until each has so many more parts: the share that no HTTP answer gave. How
// far behind live they are says what the machine is; bench/latency compares it.
export async function steady(pages, seconds, parts = 0) {
  const begin = await Promise.all(pages.map(partsSeen));
  const before = await Promise.all(pages.map(async (page) => ({ ...(await stats(page)), ...(await figures(page)) })));
  await Promise.all(pages.map((page) => playing(page, seconds, seconds + 30)));
  await Promise.all(pages.map((page, i) => until(`the player is given ${parts} parts`, 40, async () => (await partsSeen(page)) - begin[i] >= parts)));
  return Promise.all(pages.map(async (page, i) => {
    const { peers, plain, httpChunks } = await stats(page);
    const [p, h] = [peers - before[i].peers, plain - before[i].plain + httpChunks - before[i].httpChunks];
    const { latency, stalls } = await figures(page);
    return { share: p / (p + h), bytes: p + h, latency, stalls: stalls - before[i].stalls };
  }));
}

// Low latency leaves a busy machine's player no room, so that its stalls say
// little here: bench/latency counts them beside those of a player without Tuber.
export async function unharmed(s, pages) {
  for (const page of pages) {
    const { checked, wrong } = await wrongSegments(page, s);
    assert.ok(checked >= 10, `${checked} answers were checked`);
    assert.deepEqual(wrong, []);
  }
}
