// serve.mjs ADDRESS KBITS: the site of the comparison. One live stream (the
// demo's clip, or another rendition of it) and one player, hls.js with the same
// settings, alone at / and with p2p-media-loader at /p2pml.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { clip, playlist } from "../../e2e/lib/programs.mjs";
import { rendition } from "../../e2e/lib/media.mjs";

const [address, kbits] = process.argv.slice(2);
const segments = Number(kbits) > 0 ? (Number(kbits) < 400 ? rendition(160, Number(kbits), 5) : rendition(480, Number(kbits))) : clip;
const modules = fileURLToPath(new URL("node_modules/", import.meta.url));
const file = (name) => readFileSync(modules + name);
const scripts = {
  "/hls.js": file("hls.js/dist/hls.min.js"),
  "/core.js": file("p2p-media-loader-core/dist/p2p-media-loader-core.es.min.js"),
  "/hlsjs.js": file("p2p-media-loader-hlsjs/dist/p2p-media-loader-hlsjs.es.min.js"),
  "/player.js": readFileSync(new URL("player.js", import.meta.url)),
};
const page = `<!doctype html><html><head><meta charset="utf-8"><title>stream</title>
<script type="importmap">{"imports":{"p2p-media-loader-core":"/core.js","p2p-media-loader-hlsjs":"/hlsjs.js"}}</script>
<script src="/hls.js"></script></head><body><video id="video" muted autoplay playsinline></video><script type="module" src="/player.js"></script></body></html>`;
const start = Date.now() - 20_000;
const onAir = () => Math.floor((Date.now() - start) / 2000);

const server = createServer((req, res) => {
  const path = req.url.split("?")[0];
  const send = (type, body, headers = {}) => { res.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(body), ...headers }); res.end(body); };
  const segment = path.match(/^\/live\/(\d+)\.ts$/);
  if (path === "/live/index.m3u8") send("application/vnd.apple.mpegurl", playlist(onAir(), { window: 10 }), { "Cache-Control": "no-cache" });
  else if (segment && Number(segment[1]) < onAir()) send("video/mp2t", segments[Number(segment[1]) % segments.length], { "Cache-Control": "public, max-age=60" });
  else if (scripts[path]) send("text/javascript", scripts[path], { "Cache-Control": "max-age=600" });
  else if (path === "/" || path === "/p2pml") send("text/html; charset=utf-8", page);
  else res.writeHead(404).end();
});
const at = new URL("http://" + address);
server.listen(Number(at.port || 80), at.hostname, () => {
  const bytes = segments.reduce((a, s) => a + s.length, 0);
  console.log(`serving http://${at.hostname}:${server.address().port} at ${Math.round(bytes * 8 / segments.length / 2)} bit/s`);
});
