// Real browsers: Debian's Chromium and Firefox ESR, each with a fresh profile.
import puppeteer from "puppeteer-core";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const chromiumFlags = [
  "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
  "--disable-background-timer-throttling", "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows", "--mute-audio",
];

// windowOf is what a browser needs to open one on a display of its own, in place of none at all.
const windowOf = (display) => (display ? { headless: false, env: { ...process.env, DISPLAY: display }, defaultViewport: null } : { headless: true });

// chromium starts one browser with a profile of its own: one viewer. With a
// display it opens a window there. Another executable, such as one that enters a
// network namespace first, is spoken to by a pipe.
export async function chromium(t, { flags = [], display, executable } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "tuber-chromium-"));
  const browser = await puppeteer.launch({
    executablePath: executable ?? "/usr/bin/chromium",
    pipe: executable !== undefined,
    ...windowOf(display),
    userDataDir: profile,
    args: [...chromiumFlags, ...(process.getuid() === 0 ? ["--no-sandbox"] : []), ...flags],
  });
  cleanup(t, browser, profile);
  return browser;
}

// firefox starts one Firefox with a profile of its own.
export async function firefox(t, { args = [], display } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "tuber-firefox-"));
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: "/usr/bin/firefox-esr",
    ...windowOf(display),
    args,
    userDataDir: profile,
    extraPrefsFirefox: { "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0 },
  });
  cleanup(t, browser, profile);
  return browser;
}

function cleanup(t, browser, profile) {
  t.after(async () => {
    await browser.close().catch(() => {});
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
}

// open opens a page and remembers what it says on its console. before runs in
// the page ahead of its scripts; prepare(page) here, ahead of the first request.
export async function open(browser, url, { before, prepare } = {}) {
  const page = await browser.newPage();
  page.said = [];
  page.on("console", (m) => page.said.push(m.text()));
  page.on("pageerror", (e) => page.said.push("ERROR " + e.message));
  if (before) await page.evaluateOnNewDocument(before);
  if (prepare) await prepare(page);
  await page.goto(url, { waitUntil: "domcontentloaded" });
  return page;
}

const BUSY = 2; // a busy machine may take so many times as long as a quiet one

// until polls a condition, for so many seconds on a quiet machine; what it
// returned last stands in the error.
export async function until(what, seconds, condition) {
  const end = Date.now() + seconds * 1000 * BUSY;
  let last;
  for (;;) {
    try {
      last = await condition();
      if (last) return last;
    } catch (e) {
      last = e.message;
    }
    if (Date.now() > end) throw new Error(`not within ${seconds * BUSY} s: ${what} (last: ${JSON.stringify(last)})`);
    await new Promise((r) => setTimeout(r, 200));
  }
}

// figures are the sample page's own: {stalls, latency, time, playing}.
export const figures = (page) => page.evaluate(() => window.figures());

// stats are those of the page peer, null where it does not run.
export const stats = (page) => page.evaluate(() => (window.tuber ? window.tuber.stats() : null));

// playing waits until the video moved on by some seconds.
export async function playing(page, seconds = 1, within = 30) {
  const from = await page.evaluate(() => document.querySelector("video").currentTime);
  let start = from;
  await until(`video moves on by ${seconds} s from ${from.toFixed(1)}`, within, async () => {
    const now = await page.evaluate(() => document.querySelector("video").currentTime);
    if (start === 0 && now > 0) start = now; // the jump to the live edge is not playing
    return now - start >= seconds;
  });
}
