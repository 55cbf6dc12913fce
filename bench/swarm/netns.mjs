// A home line of its own: the host lives in a network namespace behind one
// veth pair, so that its interface counters hold every byte that it sends.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const sh = (...args) => execFileSync(args[0], args.slice(1), { stdio: ["ignore", "pipe", "pipe"] }).toString();

export function homeLine(name = "tuber-bench") {
  const outside = `${name.slice(0, 8)}-o`, inside = `${name.slice(0, 8)}-i`;
  close(name);
  sh("ip", "netns", "add", name);
  sh("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name);
  sh("ip", "link", "set", outside, "addrgenmode", "none"); // an address that comes later breaks off what browsers load
  sh("ip", "addr", "add", "10.77.0.1/24", "dev", outside);
  sh("ip", "link", "set", outside, "up");
  for (const args of [["addr", "add", "10.77.0.2/24", "dev", inside], ["link", "set", inside, "up"], ["link", "set", "lo", "up"], ["route", "add", "default", "via", "10.77.0.1"]]) {
    sh("ip", "-n", name, ...args);
  }
  return {
    address: "10.77.0.2",
    command: ["ip", "netns", "exec", name],
    // What came out of the host's interface arrives at the outer end.
    sent: () => Number(readFileSync(`/sys/class/net/${outside}/statistics/rx_bytes`, "utf8")),
    close: () => close(name),
  };
}

function close(name) {
  try { sh("ip", "netns", "del", name); } catch { /* there was none */ }
}
