// A country of homes: network namespaces on one bridge, each with a line of its
// own whose upload can be capped (HTB) and whose bytes are counted. Needs root.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const sh = (...args) => execFileSync(args[0], args.slice(1), { stdio: ["ignore", "pipe", "pipe"] }).toString();
const mark = "tbr"; // begins the names of all that is made here

// country is taken down again by t.after.
export function country(t) {
  down();
  const hub = `${mark}-hub`;
  const scripts = mkdtempSync(join(tmpdir(), "tuber-country-"));
  t.after(() => { down(); rmSync(scripts, { recursive: true, force: true }); });
  sh("ip", "netns", "add", hub);
  const inHub = (...args) => sh("ip", "-n", hub, ...args);
  inHub("link", "add", "br0", "type", "bridge");
  inHub("addr", "add", "10.78.0.1/16", "dev", "br0");
  inHub("link", "set", "br0", "up");
  inHub("link", "set", "lo", "up");
  let places = 0;
  // place is one home; up is the cap of its upload in Mbit/s.
  const place = (name, { up } = {}) => {
    const n = ++places, ns = `${mark}-${name}`, outside = `${mark}${n}`, address = `10.78.${1 + (n >> 7)}.${1 + (n & 127)}`;
    sh("ip", "netns", "add", ns);
    sh("ip", "-n", hub, "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", ns);
    inHub("link", "set", outside, "master", "br0", "up");
    const inside = (...args) => sh("ip", "-n", ns, ...args);
    inside("link", "set", "eth0", "addrgenmode", "none"); // an IPv6 address that comes two seconds later breaks off what a browser loads
    inside("addr", "add", `${address}/16`, "dev", "eth0");
    inside("link", "set", "eth0", "up");
    inside("link", "set", "lo", "up");
    inside("route", "add", "default", "via", "10.78.0.1");
    const p = {
      address, ns,
      command: ["ip", "netns", "exec", ns],
      // What comes out of the home arrives at the outer end of its line.
      sent: () => Number(sh("ip", "netns", "exec", hub, "cat", `/sys/class/net/${outside}/statistics/rx_bytes`)),
      cap: (mbits) => {
        const tc = (...args) => sh("ip", "netns", "exec", ns, "tc", ...args);
        tc("qdisc", "replace", "dev", "eth0", "root", "handle", "1:", "htb", "default", "1");
        tc("class", "replace", "dev", "eth0", "parent", "1:", "classid", "1:1", "htb", "rate", `${Math.round(mbits * 1000)}kbit`, "ceil", `${Math.round(mbits * 1000)}kbit`, "burst", "16k", "quantum", "1514");
        tc("qdisc", "replace", "dev", "eth0", "parent", "1:1", "pfifo", "limit", "100");
      },
      // A program that runs Chromium here, for puppeteer's executablePath.
      chromium: () => {
        const script = join(scripts, `${name}.sh`);
        writeFileSync(script, `#!/bin/sh\nexec ip netns exec ${ns} /usr/bin/chromium "$@"\n`, { mode: 0o755 });
        return script;
      },
    };
    if (up !== undefined) p.cap(up);
    return p;
  };
  return { place, hub: { address: "10.78.0.1", command: ["ip", "netns", "exec", hub] } };
}

function down() {
  for (const line of sh("ip", "netns", "list").split("\n")) {
    const name = line.split(" ")[0];
    if (name.startsWith(mark + "-")) sh("ip", "netns", "del", name);
  }
}

// cpu is what /proc/stat says; busy the share of it that was used between two.
export const cpu = () => readFileSync("/proc/stat", "utf8").split("\n")[0].trim().split(/\s+/).slice(1, 9).map(Number);
export const busy = (a, b) => { const d = b.map((v, i) => v - a[i]); return 1 - (d[3] + d[4]) / d.reduce((x, y) => x + y); };
