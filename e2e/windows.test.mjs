// `tuber demo` in real windows: Chromium and Firefox side by side on one screen,
// the demo run as whoever runs this, and as an ordinary user who has nothing
// installed. TUBER_PICTURES=FOLDER keeps a picture of each screen.
import { test } from "node:test";
import assert from "node:assert/strict";
import { chmodSync, copyFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { folder, run, tuber } from "./lib/programs.mjs";
import { chromium, figures, firefox, open, playing, stats, until } from "./lib/browser.mjs";
import { screen } from "./lib/display.mjs";

// seen is how the frame that the window shows now looks: its brightness and how
// much that varies, 0 to 255.
const seen = (page) => page.evaluate(() => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [64, 36];
  const c = canvas.getContext("2d");
  c.drawImage(document.getElementById("video"), 0, 0, canvas.width, canvas.height);
  const { data } = c.getImageData(0, 0, canvas.width, canvas.height);
  const grey = [];
  for (let i = 0; i < data.length; i += 4) grey.push((data[i] + data[i + 1] + data[i + 2]) / 3);
  const mean = grey.reduce((a, b) => a + b, 0) / grey.length;
  return { mean, spread: Math.sqrt(grey.reduce((a, b) => a + (b - mean) ** 2, 0) / grey.length) };
});

// onScreen is the same of a part of the whole screen, as a picture of it shows.
function onScreen(file, { width, height, x, y }) {
  const grey = execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-i", file, "-vf", `crop=${width}:${height}:${x}:${y},scale=64:36,format=gray`, "-f", "rawvideo", "-"]);
  const mean = grey.reduce((a, b) => a + b, 0) / grey.length;
  return { mean, spread: Math.sqrt(grey.reduce((a, b) => a + (b - mean) ** 2, 0) / grey.length) };
}

const share = (s) => s.peers / Math.max(1, s.peers + s.httpChunks + s.plain);

async function watched(t, demo, name) {
  const [, address] = await demo.line(/page\s+(http:\S+)/);
  await demo.line(/1 booster/);
  const { display, shot } = await screen(t);
  const windows = [
    ["Chromium", await open(await chromium(t, { display, flags: ["--window-position=640,0", "--window-size=640,800"] }), address)],
    ["Firefox", await open(await firefox(t, { display, args: ["--width=640", "--height=800"] }), address)],
  ];
  for (const [browser, page] of windows) {
    assert.ok(await page.evaluate(() => innerWidth > 300 && innerHeight > 300), `${browser} has a window`);
    await playing(page, 1, 60);
  }
  const first = [];
  for (const [browser, page] of windows) {
    first.push(await until(`${browser}: bytes come from peers`, 60, async () => {
      const s = await stats(page);
      return s?.links > 0 && s.peers > 5e5 && s;
    }));
  }
  for (const [i, [browser, page]] of windows.entries()) {
    await playing(page, 8, 40);
    const now = await until(`${browser}: the share from peers rises`, 40, async () => {
      const s = await stats(page);
      return share(s) > Math.min(share(first[i]), 0.9) && share(s) > 0.5 && s; // who joins late may take all from peers
    });
    assert.equal(now.bad, 0);
    assert.equal((await figures(page)).stalls, 0, `${browser} stalled: ${JSON.stringify(now)}`);
    const frame = await seen(page);
    assert.ok(frame.mean > 20 && frame.spread > 10, `${browser} shows a picture: ${JSON.stringify(frame)}`);
  }
  const file = join(process.env.TUBER_PICTURES ?? folder(t), `windows-${name}.png`);
  shot(file);
  for (const [browser, x] of [["Firefox", 0], ["Chromium", 640]]) { // no window manager moves them
    const part = onScreen(file, { width: 600, height: 300, x: x + 20, y: 230 });
    assert.ok(part.mean > 20 && part.spread > 10, `the screen shows ${browser}'s video: ${JSON.stringify(part)}`);
  }
}

test("the demo in windows of Chromium and Firefox", async (t) => {
  await watched(t, run(t, ["demo", "--listen", "127.0.0.1:0"]), "demo");
});

test("the demo of an ordinary user with nothing on the PATH", { skip: process.getuid() !== 0 && "only root can become somebody else" }, async (t) => {
  const dir = folder(t);
  chmodSync(dir, 0o755);
  copyFileSync(tuber, join(dir, "tuber"));
  chmodSync(join(dir, "tuber"), 0o755);
  const nobody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--no-new-privs",
    "env", "-i", "PATH=/nonexistent", "HOME=/nonexistent", "TMPDIR=/tmp"];
  await watched(t, run(t, ["demo", "--listen", "127.0.0.1:0"], { within: nobody, program: join(dir, "tuber") }), "nobody");
});
