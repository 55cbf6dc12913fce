// Pages of another wire version: one sentence says who must update, and the
// video plays over HTTP. Boosters and planners: control and peer, TestVersion….
import { test } from "node:test";
import assert from "node:assert/strict";
import { site } from "./lib/programs.mjs";
import { host } from "./lib/host.mjs";
import { chromium, open, figures, stats, playing, until } from "./lib/browser.mjs";
import { altered, instead } from "./lib/bundles.mjs";

const file = "wire/constants.ts";
const cases = [
  ["older", [{ file, from: "VERSION = 1;", to: "VERSION = 0;" }], /reload the page/],
  ["newer", [{ file, from: "VERSION = 1;", to: "VERSION = 3;" }, { file, from: "OLDEST = 1;", to: "OLDEST = 2;" }], /the host must update/],
];

for (const [age, edits, sentence] of cases) {
  test(`a page that speaks an ${age} version than the host plays over HTTP and says who must update`, async (t) => {
    const h = await host(t, await site(t));
    const page = await open(await chromium(t), h.page, { prepare: instead(altered(t, edits)) });
    await until("it says so", 30, () => page.said.some((l) => sentence.test(l)));
    await playing(page, 6, 40);
    assert.equal(page.said.filter((l) => l.includes("version")).length, 1, "once: " + page.said);
    const { joined, peers } = await stats(page);
    assert.deepEqual([joined, peers], [false, 0]);
    assert.equal((await figures(page)).stalls, 0);
  });
}
