// inside.mjs BROWSER ADDRESS [saving]: a viewer at a place of its own (a network
// namespace), one that saves data if so. Runs a browser there on a page of the host at ADDRESS, by way of
// localhost, which browsers trust without a certificate. For each line on its
// standard input it prints what the player and the page peer say, as JSON.
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { receiving } from "./squeezed.mjs";
import { chromium, figures, firefox, open, stats } from "./browser.mjs";

const [name, address, saving] = process.argv.slice(2);
const at = new URL("http://" + address);
const cleanups = [];
const t = { after: (f) => cleanups.push(f) };

const way = createServer((near) => {
  const far = connect(Number(at.port), at.hostname);
  near.pipe(far).pipe(near);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
});
await new Promise((r) => way.listen(0, "127.0.0.1", r));

// Homes see each other's addresses here, as behind a router with hairpinning.
const browser = await (name === "firefox" ? firefox(t) : chromium(t, { flags: ["--disable-features=WebRtcHideLocalIpsWithMdns"] }));
const page = await open(browser, `http://localhost:${way.address().port}/`, saving ? { before: receiving } : {});
console.log("open");
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "end") break;
  console.log(JSON.stringify({ ...(await figures(page)), tuber: await stats(page) }));
}
for (const f of cleanups.reverse()) await f();
way.close();
process.exit(0);
