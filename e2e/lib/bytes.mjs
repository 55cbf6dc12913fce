// What the player is given against what the origin serves, by SHA-256.
import { createHash } from "node:crypto";

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// recordResponses is run in the page before anything else: it keeps the hash of
// every segment that the player's own XMLHttpRequest or fetch was given.
export function recordResponses() {
  const seen = (window.seenSegments = []);
  const note = async (url, buffer) => {
    if (!/\.ts(\?|$)/.test(url)) return;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", buffer.slice(0)));
    seen.push([new URL(url, location.href).pathname, [...digest].map((b) => b.toString(16).padStart(2, "0")).join("")]);
  };
  // From open on: the player hands the buffer on to its worker once it has it.
  const start = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (...args) {
    this.addEventListener("readystatechange", () => {
      if (this.readyState === 4 && this.response instanceof ArrayBuffer) note(this.responseURL, this.response);
    });
    return start.apply(this, args);
  };
  const plain = window.fetch;
  window.fetch = async (...args) => {
    const r = await plain(...args);
    if (/\.ts(\?|$)/.test(r.url)) r.clone().arrayBuffer().then((b) => note(r.url, b));
    return r;
  };
}

// wrongSegments compares what was recorded with the site's clip.
export async function wrongSegments(page, site) {
  const seen = await page.evaluate(() => window.seenSegments);
  const right = site.clip.map(sha256);
  const wrong = seen.filter(([path, hash]) => hash !== right[Number(path.match(/(\d+)\.ts/)[1]) % right.length]);
  return { checked: seen.length, wrong };
}
