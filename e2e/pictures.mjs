// Takes the pictures of docs/pictures: node --test pictures.mjs. With
// TUBER_PICTURES=FOLDER it writes there, and further views beside them.
import { test } from "node:test";
import { join } from "node:path";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "./lib/programs.mjs";
import { chromium, open, playing, stats, until } from "./lib/browser.mjs";
import { shown, text } from "./lib/screens.mjs";

const docs = fileURLToPath(new URL("../docs/pictures", import.meta.url));
const folder = process.env.TUBER_PICTURES ?? docs;
mkdirSync(folder, { recursive: true });

async function take(page, name, { width, height, scheme = "light" }) {
  if (folder === docs && !["dashboard", "join", "demo"].includes(name)) return;
  await page.bringToFront();
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
  await page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished))); // colours change slowly
  await page.screenshot({ path: join(folder, name + ".png"), fullPage: height === 0 });
}

test("pictures", async (t) => {
  const demo = run(t, ["demo", "--listen", "127.0.0.1:0"]);
  const [, address] = await demo.line(/page\s+(http:\S+)/);
  const [, dashboard] = await demo.line(/dashboard\s+(http:\S+)/);
  await demo.line(/1 booster/);
  const viewers = [];
  for (let i = 0; i < 2; i++) {
    viewers.push(await open(await chromium(t), address));
    await playing(viewers[i], 1, 40);
  }
  const page = await open(await chromium(t), dashboard);
  await page.setViewport({ width: 1200, height: 900 });
  for (const v of viewers) await until("chunks flow", 40, async () => (await stats(v)).peers > 1e6);
  await until("the graph has a minute", 90, () => page.$eval("#graph", (g) => g.querySelector(".upload")?.points.length > 60));
  const size = { width: 1200, height: 900 };
  await take(page, "dashboard", size);
  await take(page, "dashboard-dark", { ...size, scheme: "dark" });
  await take(page, "dashboard-phone", { width: 390, height: 1800 });
  await page.setViewport(size);
  await page.click("#invite-form button");
  await until("the invite is shown", 10, () => shown(page, "#fresh"));
  const link = new URL(await text(page, "#fresh-url"));
  await take(page, "dashboard-invite", { width: 1200, height: 1700 });
  await take(page, "dashboard-invite-phone", { width: 390, height: 2400, scheme: "dark" });
  await take(viewers[0], "demo", { width: 1000, height: 800 });

  const friend = await open(await chromium(t), new URL(".tuber/join" + link.hash, address).href);
  await until("the invite is shown", 10, () => shown(friend, "#invite"));
  await take(friend, "join", { width: 900, height: 1120 });
  await take(friend, "join-phone", { width: 390, height: 1700, scheme: "dark" });
  await take(await open(await chromium(t), new URL(".tuber/privacy", address).href), "privacy", { width: 900, height: 800 });
});
