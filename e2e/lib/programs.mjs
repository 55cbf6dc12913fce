// The real binary as child processes, and a sample site whose faults a test chooses.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const tuber = join(root, "bin/tuber");

// run starts the program, within another command if need be; .line(re) waits for a line that it prints.
export function run(t, args, { env = {}, within = [], program = tuber } = {}) {
  const command = [...within, program, ...args];
  const child = spawn(command[0], command.slice(1), { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const p = { child, text: "", args };
  const waiting = new Set();
  const take = (b) => { p.text += b; for (const w of waiting) w(); };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  p.ended = new Promise((resolve) => child.on("exit", (code, signal) => { p.code = code ?? signal; take(""); resolve(p.code); }));
  p.line = (re, seconds = 30) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => { waiting.delete(look); reject(new Error(`tuber ${args[0]} did not print ${re} within ${seconds} s; it said:\n${p.text}`)); }, seconds * 1000);
    const look = () => {
      const m = p.text.match(re);
      if (!m && p.code === undefined) return;
      clearTimeout(timer);
      waiting.delete(look);
      m ? resolve(m) : reject(new Error(`tuber ${args[0]} ended with ${p.code} before it printed ${re}:\n${p.text}`));
    };
    waiting.add(look);
    look();
  });
  p.stop = async (signal = "SIGINT") => { if (p.code === undefined) child.kill(signal); return p.ended; };
  t.after(async () => { await p.stop(); });
  return p;
}

// folder is a temporary one that goes with the test.
export function folder(t) {
  const dir = mkdtempSync(join(tmpdir(), "tuber-e2e-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const siteFile = (name) => readFileSync(join(root, "internal/demo/site", name));
export const clip = Array.from({ length: 6 }, (_, n) => readFileSync(join(root, `internal/demo/clip/seg${n}.ts`)));

// site is an ordinary web server with a live stream. Its hooks: playlist(text,
// req), segment(bytes, number, req), page(html): each may change what is served;
// any(req, res) may answer itself. body(path) is what the site serves there.
export async function site(t, hooks = {}) {
  const start = Date.now() - 12_000;
  const onAir = () => Math.floor((Date.now() - start) / 2000);
  const s = { requests: [], hooks, clip, onAir, body: (path) => clip[Number(path.match(/(\d+)\.ts$/)?.[1]) % clip.length] };
  const server = createServer((req, res) => {
    s.requests.push(req.url);
    const path = req.url.split("?")[0];
    const send = (type, body, headers = {}) => { res.writeHead(200, { "Content-Type": type, "Content-Length": body.length, ...headers }); res.end(body); };
    const segment = path.match(/^\/live\/(?:\w+\/)?(\d+)\.ts$/);
    if (s.hooks.any?.(req, res)) return;
    if (/^\/live\/.*\.m3u8$/.test(path)) {
      let text = playlist(onAir());
      if (s.hooks.playlist) text = s.hooks.playlist(text, req);
      send("application/vnd.apple.mpegurl", Buffer.from(text), { "Cache-Control": "no-cache" });
    } else if (segment && Number(segment[1]) < onAir()) {
      let body = clip[Number(segment[1]) % clip.length];
      if (s.hooks.segment) body = s.hooks.segment(body, Number(segment[1]), req);
      send("video/mp2t", body, { "Cache-Control": "public, max-age=60" });
    } else if (path === "/") {
      let html = siteFile("index.html").toString();
      if (s.hooks.page) html = s.hooks.page(html);
      send("text/html; charset=utf-8", Buffer.from(html));
    } else if (path === "/player.js" || path === "/hls.light.min.js") {
      send("text/javascript", siteFile(path.slice(1)));
    } else {
      res.writeHead(404).end("not found");
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => { server.closeAllConnections(); server.close(); });
  s.server = server;
  s.url = `http://127.0.0.1:${server.address().port}`;
  return s;
}

// playlist is that of the last complete segments, window of them; entry(n) are the lines
// that follow a segment's duration, head those of the whole stream.
export function playlist(complete, { head = "", window = 6, entry = (n) => `${n}.ts` } = {}) {
  const first = Math.max(0, complete - window);
  let text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:" + first +
    "\n#EXT-X-DISCONTINUITY-SEQUENCE:" + Math.max(0, Math.floor((first - 1) / 6)) + "\n" + head;
  for (let n = first; n < complete; n++) {
    if (n > 0 && n % 6 === 0) text += "#EXT-X-DISCONTINUITY\n";
    text += `#EXTINF:2.000,\n${entry(n)}\n`;
  }
  return text;
}
