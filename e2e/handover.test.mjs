// Tabs of one profile hand the membership over: the video plays on in the tab
// that stays, and soon from peers again.
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { recordResponses, wrongSegments } from "./lib/bytes.mjs";
import { boosted, flowing } from "./lib/crowd.mjs";

test("the leading tab is closed: the other one takes its place within seconds", async (t) => {
  const s = await site(t);
  const h = await host(t, s);
  await boosted(t, h);
  const browser = await chromium(t);
  const first = await open(browser, h.page);
  await playing(first, 1, 40);
  await flowing(first);
  const second = await open(browser, h.page, { before: recordResponses });
  await second.bringToFront();
  await playing(second, 3, 40);
  const tabs = [first, second];
  const roles = await Promise.all(tabs.map(async (p) => (await stats(p)).role));
  assert.deepEqual(roles.toSorted(), ["leader", "tab"]);
  const [stays] = tabs.filter((_, i) => roles[i] === "tab");
  await tabs.find((p) => p !== stays).close();
  await stays.bringToFront();
  await until("the tab that stays leads and is linked", 10, async () => {
    const now = await stats(stays);
    return now.role === "leader" && now.links > 0;
  });
  const had = (await stats(stays)).peers;
  await until("chunks come from peers", 15, async () => (await stats(stays)).peers > had + 5e5);
  await playing(stays, 6, 20);
  assert.equal((await figures(stays)).stalls, 0);
  assert.equal((await h.state()).viewers, 1);
  if (stays === second) {
    const { checked, wrong } = await wrongSegments(stays, s);
    assert.ok(checked > 3);
    assert.deepEqual(wrong, []);
  }
});

test("two tabs take turns in front: whichever leads, both play and are one viewer", async (t) => {
  const s = await site(t);
  const h = await host(t, s);
  await boosted(t, h);
  const browser = await chromium(t);
  const tabs = [await open(browser, h.page), await open(browser, h.page)];
  for (const tab of tabs) {
    await tab.bringToFront();
    await playing(tab, 1, 40);
  }
  for (const tab of [tabs[0], tabs[1], tabs[0]]) {
    await tab.bringToFront();
    await playing(tab, 4, 30);
  }
  await until("one of them leads, linked", 15, async () => {
    const now = await Promise.all(tabs.map(stats));
    return now.filter((x) => x.role === "leader").length === 1 && now.some((x) => x.role === "leader" && x.links > 0);
  });
  await until("one viewer", 15, async () => (await h.state()).viewers === 1);
  assert.equal((await figures(tabs[0])).stalls, 0);
});
