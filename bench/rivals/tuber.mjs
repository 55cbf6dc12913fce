// What the comparisons run: the site, a Tuber host before it, boosters, and
// viewers with and without a browser, each at a place of a country.
import { spawn } from "node:child_process";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../e2e/lib/programs.mjs";
import { chromium, open, until } from "../../e2e/lib/browser.mjs";

export const median = (v) => v.slice().sort((a, b) => a - b)[Math.floor(v.length / 2)];
export const wait = (seconds) => new Promise((r) => setTimeout(r, seconds * 1000));

export function folder(t) {
  const dir = mkdtempSync(join(tmpdir(), "tuber-bench-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// script runs one of the programs here at a place, until it prints ready.
async function script(t, place, name, args, ready) {
  const path = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(place.command[0], [...place.command.slice(1), process.execPath, path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill());
  let text = "";
  child.stdout.on("data", (b) => { text += b; });
  return until(`${name} to begin`, 60, () => text.match(ready));
}

// site begins the site at a place and returns {url, rate}.
export async function site(t, place, { at = "127.0.0.1:0", kbits = 0 } = {}) {
  const [, url, rate] = await script(t, place, "serve.mjs", [at, String(kbits)], /serving (\S+) at (\d+)/);
  return { url, rate: Number(rate) };
}

export async function tracker(t, hub) {
  await script(t, hub, "tracker.mjs", [hub.address, "8000"], /tracking/);
  return `ws://${hub.address}:8000`;
}

// certificate makes one for a home, and what tells browsers to trust its key.
function certificate(dir, home) {
  const key = join(dir, "key.pem"), cert = join(dir, "cert.pem");
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-keyout", key, "-out", cert, "-subj", "/CN=bench", "-addext", `subjectAltName=IP:${home.address}`], { stdio: "ignore" });
  const pin = execFileSync("sh", ["-c", `openssl x509 -in ${cert} -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64`]).toString().trim();
  return { args: ["--cert", cert, "--key", key], flags: [`--ignore-certificate-errors-spki-list=${pin}`] };
}

// host runs Tuber at home before the site; with a certificate of its own unless
// it is to be plain.
export async function host(t, home, upstream, args = [], { plain = false } = {}) {
  const dir = folder(t), secure = plain ? { args: [], flags: [] } : certificate(dir, home);
  const state = join(dir, "host");
  const p = run(t, ["host", "--upstream", upstream, "--listen", `${home.address}:8443`, ...secure.args,
    "--control-listen", `${home.address}:8444`, "--udp-listen", `${home.address}:8443`, "--stun-listen", `${home.address}:3478`,
    "--no-upnp", "--public-host", home.address, "--state", state, ...args], { within: home.command });
  await p.line(/site\s+(https?:\S+)/);
  const [, dashboard] = await p.line(/dashboard\s+(http:\S+)/);
  const asked = (path) => execFileSync(home.command[0], [...home.command.slice(1), "curl", "-sf", "-H",
    "Authorization: Bearer " + new URL(dashboard).searchParams.get("key"), new URL(path, dashboard).href], { maxBuffer: 1 << 26 }).toString();
  return {
    page: `http${plain ? "" : "s"}://${home.address}:8443/`, flags: secure.flags, program: p,
    state: () => JSON.parse(asked("/api/state")),
    metrics: () => asked("/metrics"),
    payload: () => Number(asked("/metrics").match(/^tuber_payload_bytes_total (\S+)/m)[1]),
    invite: async (uses = 1) => (await run(t, ["invite", "create", "--uses", String(uses), "--state", state]).line(/(https:\S+#\S+)/))[1],
  };
}

export async function booster(t, place, invite, { upload = "50Mbit/s" } = {}) {
  const p = run(t, ["boost", "--state", folder(t), "--no-upnp", "--upload", upload, invite], { within: place.command });
  await p.line(/Joined/, 60);
  return p;
}

// viewer opens a page in a Chromium of its own at a place.
export async function viewer(t, place, url, flags = [], ready = {}) {
  const browser = await chromium(t, { executable: place.chromium(), flags: [...flags, "--disable-features=WebRtcHideLocalIpsWithMdns"] });
  return open(browser, url, ready);
}

export const figures = (pages) => Promise.all(pages.map((p) => p.evaluate(() => ({ ...window.figures(), tuber: window.tuber ? window.tuber.stats() : null }))));

export const started = (pages) => until("all viewers play", 120, async () => (await figures(pages)).every((f) => f.playing && f.time > 0));
