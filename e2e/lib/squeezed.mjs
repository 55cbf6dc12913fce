// Three viewers of a stream with renditions behind a line that is too small for
// all of them at the top, and who pass nothing on.
import { host } from "./host.mjs";
import { chromium, open, playing, until } from "./browser.mjs";
import { recordResponses } from "./bytes.mjs";
import { renditionsSite } from "./forms.mjs";

export const levels = (pages) => Promise.all(pages.map((p) => p.evaluate(() => hls.currentLevel)));

// viewer opens the page and waits until it plays.
export async function viewer(t, h, before = recordResponses) {
  const page = await open(await chromium(t), h.page, { before });
  await playing(page, 1, 60);
  return page;
}

// Viewers that pass nothing on hang on the host's line alone.
export const receiving = `(${recordResponses})();
  Object.defineProperty(Navigator.prototype, "connection", { get: () => Object.assign(new EventTarget(), { saveData: true }) });`;

export async function squeezed(t) {
  const s = await renditionsSite(t);
  const h = await host(t, s, { args: ["--uplink", "3Mbit/s"] });
  const pages = [];
  for (let i = 0; i < 3; i++) pages.push(await viewer(t, h, receiving));
  await until("they share the line: not all at the top, all with some seconds ahead", 120, async () => {
    const ahead = await Promise.all(pages.map((p) => p.evaluate(() => video.buffered.length && video.buffered.end(video.buffered.length - 1) - video.currentTime)));
    return (await levels(pages)).some((n) => n < 2) && ahead.every((a) => a > 3);
  });
  return { s, h, pages };
}
