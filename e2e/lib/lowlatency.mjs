// A real low-latency HLS server (rfc8216bis): the clip's pictures as fMP4, cut by
// ffmpeg into fragments of 0.4 s. Each fragment is a part, five are a segment.
// Playlist reloads are held until the part that they ask for is there, requests
// for a hinted part until it is made, delta updates are answered.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { site } from "./programs.mjs";
import { made, segments } from "./media.mjs";

export const PART_MS = 400, PARTS = 5, SEGMENT_MS = PART_MS * PARTS;
const WINDOW = 8; // segments listed
const SKIP = 6; // target durations behind the edge from which a delta update leaves segments out

// boxes are the top-level boxes of an MP4 file, in order.
function* boxes(b) {
  for (let at = 0; at < b.length; ) {
    const size = b.readUInt32BE(at);
    yield { type: b.toString("latin1", at + 4, at + 8), bytes: b.subarray(at, at + size) };
    at += size;
  }
}

// fragments are {init, parts, timescale} of the clip without its sound.
export function fragments() {
  const dir = made(["-an", "-c:v", "copy", "-f", "mp4", "-movflags", "empty_moov+default_base_moof+skip_trailer",
    "-frag_duration", String(PART_MS * 1000), "-video_track_timescale", "25000", "OUT/parts.mp4"]);
  const head = [], parts = [];
  for (const { type, bytes } of boxes(readFileSync(join(dir, "parts.mp4")))) {
    if (type === "moof") parts.push([bytes]);
    else if (parts.length > 0) parts.at(-1).push(bytes);
    else head.push(bytes);
  }
  if (parts.length !== segments * PARTS) throw new Error(`ffmpeg made ${parts.length} fragments, want ${segments * PARTS}`);
  return { init: Buffer.concat(head), parts: parts.map((p) => Buffer.concat(p)), timescale: 25000 };
}

// shifted is a fragment as many ticks later: its decode time goes on in each loop of the clip.
function shifted(fragment, ticks, number) {
  const b = Buffer.from(fragment);
  b.writeUInt32BE(number + 1, b.indexOf("mfhd") + 8);
  const at = b.indexOf("tfdt") + 4;
  if (b[at] === 1) b.writeBigUInt64BE(b.readBigUInt64BE(at + 4) + BigInt(ticks), at + 4);
  else b.writeUInt32BE(b.readUInt32BE(at + 4) + ticks, at + 4);
  return b;
}

export const page = (config = {}) => `<!DOCTYPE html><meta charset="utf-8"><title>live</title>
<video id="video" muted autoplay playsinline controls></video><script src="/hls.light.min.js"></script><script>
const video = document.getElementById("video");
const hls = new Hls(${JSON.stringify({ lowLatencyMode: true, ...config })});
hls.loadSource("/live/index.m3u8");
hls.attachMedia(video);
let stalls = 0, playing = false;
const errors = [], waits = [];
const ahead = () => (video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : 0);
hls.on(Hls.Events.ERROR, (_, d) => errors.push(d.details));
video.addEventListener("playing", () => { playing = true; });
video.addEventListener("waiting", () => {
  if (playing && !video.seeking) { stalls++; waits.push({ at: video.currentTime, ahead: ahead() }); }
});
window.figures = () => ({ stalls, playing, waits, time: video.currentTime, errors,
  latency: hls.playingDate ? (Date.now() - hls.playingDate.getTime()) / 1000 : 0 });
window.hls = hls;
</script>`;

// lowLatencySite serves it. ranged: parts are byte ranges of their segment.
// hints: requests for parts to come are held. config: of the page's hls.js.
export async function lowLatencySite(t, { ranged = false, hints = true, config } = {}) {
  const { init, parts, timescale } = fragments();
  const loop = (parts.length * PART_MS * timescale) / 1000;
  const start = Date.now() - (WINDOW + 2) * SEGMENT_MS;
  const part = (n) => shifted(parts[n % parts.length], Math.floor(n / parts.length) * loop, n);
  const segment = (n) => Buffer.concat(Array.from({ length: PARTS }, (_, i) => part(n * PARTS + i)));
  const there = () => Math.floor((Date.now() - start) / PART_MS); // complete parts
  const until = async (count, gone) => { // until as many are complete
    while (there() < count && !gone.aborted) await new Promise((r) => setTimeout(r, Math.max(1, start + count * PART_MS - Date.now())));
  };
  const name = (n, i) => {
    if (!ranged) return `URI="${n}.${i}.m4s"`;
    const before = Array.from({ length: i }, (_, j) => part(n * PARTS + j).length).reduce((a, b) => a + b, 0);
    return `URI="${n}.m4s",BYTERANGE="${part(n * PARTS + i).length}@${before}"`;
  };
  const list = (count, skip) => {
    const next = Math.floor(count / PARTS), first = Math.max(0, next - WINDOW), extra = count % PARTS;
    const skipped = skip ? Math.max(0, next - SKIP - first) : 0;
    let text = `#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:${SEGMENT_MS / 1000}\n` +
      `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${(3 * PART_MS) / 1000},CAN-SKIP-UNTIL=${(SKIP * SEGMENT_MS) / 1000}\n` +
      `#EXT-X-PART-INF:PART-TARGET=${PART_MS / 1000}\n#EXT-X-MEDIA-SEQUENCE:${first}\n`;
    text += skipped > 0 ? `#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}\n` : '#EXT-X-MAP:URI="init.mp4"\n';
    const partLine = (n, i) => `#EXT-X-PART:DURATION=${PART_MS / 1000},${name(n, i)}${i === 0 ? ",INDEPENDENT=YES" : ""}\n`;
    const parts = (n, count) => Array.from({ length: count }, (_, i) => partLine(n, i)).join("");
    const date = (n) => `#EXT-X-PROGRAM-DATE-TIME:${new Date(start + n * SEGMENT_MS).toISOString()}\n`;
    for (let n = first + skipped; n < next; n++) {
      text += date(n) + (n >= next - 3 ? parts(n, PARTS) : "") + `#EXTINF:${SEGMENT_MS / 1000},\n${n}.m4s\n`;
    }
    text += date(next) + parts(next, extra);
    return ranged ? text : text + `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${next}.${extra}.m4s"\n`;
  };

  const send = (req, res, type, bytes) => {
    const headers = { "Content-Type": type, "Cache-Control": type.includes("mpegurl") ? "no-cache" : "public, max-age=60", "Accept-Ranges": "bytes" };
    const [, from, to] = req.headers.range?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
    const last = Math.min(to ? Number(to) : Infinity, bytes.length - 1);
    const body = from === undefined ? bytes : bytes.subarray(Number(from), last + 1);
    if (from !== undefined) headers["Content-Range"] = `bytes ${from}-${last}/${bytes.length}`;
    res.writeHead(from === undefined ? 200 : 206, { ...headers, "Content-Length": body.length });
    res.end(body);
  };
  const body = (path) => {
    const [, n, i] = path.match(/^\/live\/(\d+)(?:\.(\d+))?\.m4s$/) ?? [];
    if (path === "/live/init.mp4") return init;
    if (n === undefined) return undefined;
    return i === undefined ? segment(Number(n)) : part(Number(n) * PARTS + Number(i));
  };
  // grown is what there is of a segment that is still being made.
  const grown = (n) => Buffer.concat(Array.from({ length: Math.min(PARTS, Math.max(0, there() - n * PARTS)) }, (_, i) => part(n * PARTS + i)));

  async function answer(req, res, url) {
    const gone = new AbortController();
    res.on("close", () => gone.abort());
    if (url.pathname.endsWith(".m3u8")) {
      const msn = url.searchParams.get("_HLS_msn"), p = url.searchParams.get("_HLS_part");
      if (msn !== null) await until(Number(msn) * PARTS + (p === null ? PARTS : Number(p) + 1), gone.signal);
      const text = s.hooks.playlist?.(list(there(), url.searchParams.get("_HLS_skip") !== null), req) ?? list(there(), url.searchParams.get("_HLS_skip") !== null);
      return send(req, res, "application/vnd.apple.mpegurl", Buffer.from(text));
    }
    const [, n, i] = url.pathname.match(/^\/live\/(\d+)(?:\.(\d+))?\.m4s$/) ?? [];
    if (i !== undefined) {
      const number = Number(n) * PARTS + Number(i);
      if (number > there() || (number === there() && !hints)) return res.writeHead(404).end();
      await until(number + 1, gone.signal);
    }
    const bytes = n !== undefined && i === undefined ? grown(Number(n)) : body(url.pathname);
    if (bytes?.length) send(req, res, "video/mp4", bytes);
    else res.writeHead(404).end();
  }

  const s = await site(t, {
    page: () => page(config),
    any(req, res) {
      const url = new URL(req.url, "http://site");
      if (!url.pathname.startsWith("/live/")) return false;
      answer(req, res, url).catch(() => res.destroy());
      return true;
    },
  });
  return Object.assign(s, { body, start, there, list });
}
