// Altered page peers: web/src with something broken or changed on purpose.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { folder } from "./programs.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

// altered bundles web/src with edits ({file, from, to}) made to a copy of it;
// an edit that no longer fits the source is an error. It returns page.js.
export function altered(t, edits) {
  const dir = folder(t);
  cpSync(join(root, "web/src"), join(dir, "src"), { recursive: true });
  for (const { file, from, to } of edits) {
    const path = join(dir, "src", file);
    const text = readFileSync(path, "utf8");
    if (text.split(from).length !== 2) throw new Error(`web/src/${file} does not hold ${JSON.stringify(from)} once: mend this test`);
    writeFileSync(path, text.replace(from, () => to));
  }
  execFileSync("go", ["run", "./web/bundle", "-from", dir], { cwd: root, stdio: "pipe" });
  return readFileSync(join(dir, "dist/page.js"), "utf8");
}

// instead gives a page this bundle in place of the host's page.js; the host's
// configuration, the first line, stays. It is a prepare of open.
export const instead = (bundle) => async (page) => {
  const devtools = await page.createCDPSession();
  page.replaced = 0;
  devtools.on("Fetch.requestPaused", async ({ requestId, request }) => {
    const own = await (await fetch(request.url)).text();
    const body = own.slice(0, own.indexOf("\n") + 1) + bundle;
    await devtools.send("Fetch.fulfillRequest", {
      requestId, responseCode: 200, body: Buffer.from(body).toString("base64"),
      responseHeaders: [{ name: "Content-Type", value: "text/javascript" }, { name: "Cache-Control", value: "no-store" }],
    });
    page.replaced++;
  });
  await devtools.send("Fetch.enable", { patterns: [{ urlPattern: "*/.tuber/page.js*" }] });
};
