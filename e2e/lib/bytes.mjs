// What the player is given against what the origin serves, by SHA-256.
import { createHash } from "node:crypto";

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// recordResponses is run in the page before anything else: it keeps the path,
// range and hash of every segment that the player's own XMLHttpRequest or fetch
// was given.
export function recordResponses() {
  const seen = (window.seenSegments = []);
  const media = /\.(ts|m4s|mp4)(\?|$)/;
  const note = async (url, range, buffer) => {
    if (!media.test(url)) return;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", buffer.slice(0)));
    seen.push([new URL(url, location.href).pathname, [...digest].map((b) => b.toString(16).padStart(2, "0")).join(""), range]);
  };
  const ranges = new WeakMap();
  const header = XMLHttpRequest.prototype.setRequestHeader;
  XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
    if (name.toLowerCase() === "range") ranges.set(this, value);
    return header.call(this, name, value);
  };
  // From open on: the player hands the buffer on to its worker once it has it.
  const start = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (...args) {
    this.addEventListener("readystatechange", () => {
      if (this.readyState === 4 && this.response instanceof ArrayBuffer) note(this.responseURL, ranges.get(this), this.response);
    });
    return start.apply(this, args);
  };
  const plain = window.fetch;
  window.fetch = async (...args) => {
    const r = await plain(...args);
    if (media.test(r.url)) r.clone().arrayBuffer().then((b) => note(r.url, undefined, b));
    return r;
  };
}

// wrongSegments compares what was recorded with what the site serves.
export async function wrongSegments(page, site) {
  const seen = await page.evaluate(() => window.seenSegments);
  const wrong = seen.filter(([path, hash, range]) => {
    const whole = site.body(path);
    const [, from, to] = range?.match(/^bytes=(\d+)-(\d+)$/) ?? [];
    return !whole || hash !== sha256(from ? whole.subarray(Number(from), Number(to) + 1) : whole);
  });
  return { checked: seen.length, wrong };
}
