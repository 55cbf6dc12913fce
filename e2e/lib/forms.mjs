// Sites whose live stream has another form than whole MPEG-TS segments. Each is
// a site of programs.mjs in a loop of the same clip.
import { createCipheriv } from "node:crypto";
import { clip, playlist, site } from "./programs.mjs";
import { fragmented, rendition } from "./media.mjs";

const loop = clip.length;

// formed is a site that serves what lists() and body(path) give, the rest as ever.
async function formed(t, { lists, body, cutOf }) {
  const s = await site(t, { any: (req, res) => {
    const path = req.url.split("?")[0];
    const list = lists(s.onAir())[path];
    if (list !== undefined) return send(res, 200, "application/vnd.apple.mpegurl", Buffer.from(list), { "Cache-Control": "no-cache" });
    const bytes = body(path);
    if (!bytes) return false;
    const type = path.endsWith(".ts") ? "video/mp2t" : /\.(mp4|m4s)$/.test(path) ? "video/mp4" : "application/octet-stream";
    return ranged(req, res, type, cutOf ? cutOf(path, bytes, s.onAir()) : bytes);
  } });
  s.body = body;
  return s;
}

function send(res, status, type, bytes, headers = {}) {
  res.writeHead(status, { "Content-Type": type, "Content-Length": bytes.length, "Cache-Control": "public, max-age=60", ...headers });
  res.end(bytes);
  return true;
}

function ranged(req, res, type, bytes) {
  const [, from, to] = req.headers.range?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
  if (from === undefined) return send(res, 200, type, bytes, { "Accept-Ranges": "bytes" });
  const end = Math.min(to === "" ? Infinity : Number(to), bytes.length - 1);
  const part = bytes.subarray(Number(from), end + 1);
  return send(res, 206, type, part, { "Content-Range": `bytes ${from}-${end}/${bytes.length}` });
}

// numbered finds the clip's part for /live/FOLDER/N.ts and the like.
const numbered = (parts, path, re) => {
  const n = path.match(re)?.[1];
  return n === undefined ? undefined : parts[Number(n) % loop];
};

// fmp4 is a stream of fragments with an initialisation segment (EXT-X-MAP).
export function fmp4Site(t) {
  const { init, segments } = fragmented();
  const options = { head: '#EXT-X-MAP:URI="init.mp4"\n', entry: (n) => `${n}.m4s` };
  return formed(t, {
    lists: (complete) => ({ "/live/index.m3u8": playlist(complete, options) }),
    body: (path) => (path === "/live/init.mp4" ? init : numbered(segments, path, /^\/live\/(\d+)\.m4s$/)),
  });
}

// rangedSite is a stream of byte ranges of one growing file for each loop.
export function rangedSite(t) {
  const file = Buffer.concat(clip);
  const offsets = clip.map((_, n) => clip.slice(0, n).reduce((sum, s) => sum + s.length, 0));
  const entry = (n) => `#EXT-X-BYTERANGE:${clip[n % loop].length}@${offsets[n % loop]}\nloop${Math.floor(n / loop)}.ts`;
  return formed(t, {
    lists: (complete) => ({ "/live/index.m3u8": playlist(complete, { entry }) }),
    body: (path) => (/^\/live\/loop\d+\.ts$/.test(path) ? file : undefined),
    cutOf(path, bytes, complete) {
      const there = complete - loop * Number(path.match(/(\d+)\.ts/)[1]);
      return there >= loop ? bytes : bytes.subarray(0, offsets[Math.max(0, there)]);
    },
  });
}

// encryptedSite is a stream under AES-128 whose key is at /live/secret.key.
export function encryptedSite(t) {
  const key = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
  const iv = Buffer.from("f0e0d0c0b0a090807060504030201000", "hex");
  const segments = clip.map((s) => {
    const c = createCipheriv("aes-128-cbc", key, iv);
    return Buffer.concat([c.update(s), c.final()]);
  });
  const head = `#EXT-X-KEY:METHOD=AES-128,URI="secret.key",IV=0x${iv.toString("hex")}\n`;
  return formed(t, {
    lists: (complete) => ({ "/live/index.m3u8": playlist(complete, { head }) }),
    body: (path) => (path === "/live/secret.key" ? key : numbered(segments, path, /^\/live\/(\d+)\.ts$/)),
  });
}

// renditionsSite has a master playlist of three, the highest being the clip itself.
export function renditionsSite(t) {
  const all = { low: rendition(320, 250), mid: rendition(480, 700), high: clip };
  const master = "#EXTM3U\n" +
    "#EXT-X-STREAM-INF:BANDWIDTH=330000,RESOLUTION=320x180\nlow/index.m3u8\n" +
    "#EXT-X-STREAM-INF:BANDWIDTH=850000,RESOLUTION=480x270\nmid/index.m3u8\n" +
    "#EXT-X-STREAM-INF:BANDWIDTH=1600000,RESOLUTION=640x360\nhigh/index.m3u8\n";
  return formed(t, {
    lists: (complete) => ({
      "/live/index.m3u8": master,
      ...Object.fromEntries(Object.keys(all).map((name) => [`/live/${name}/index.m3u8`, playlist(complete)])),
    }),
    body(path) {
      const [, name, n] = path.match(/^\/live\/(low|mid|high)\/(\d+)\.ts$/) ?? [];
      return name && all[name][Number(n) % loop];
    },
  });
}
