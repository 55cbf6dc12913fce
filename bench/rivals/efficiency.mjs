// Efficiency with real links: viewers without browsers, each at a home of its own
// behind a capped line, at several times what all of them need. The ratio is one
// over the least supply at which nobody stalled. Run it with
// `make bench-efficiency-real` (root).
import { withoutBrowsers } from "./scarce.mjs";

const viewers = Number(process.env.VIEWERS ?? 20);
const supplies = (process.env.SUPPLIES ?? "1.05,1.11,1.2,1.35").split(",").map(Number);

console.log("| viewers | supply / need | stalls | stalled, share of the time | behind live s, median | worst viewer s | CPU |\n|---|---|---|---|---|---|---|");
let least = Infinity;
for (const supply of supplies) {
  const r = await withoutBrowsers(supply, viewers);
  const voided = r.load > 0.85;
  if (r.stalls === 0 && !voided) least = Math.min(least, supply);
  console.log(`| ${viewers} | ${supply} | ${r.stalls} | ${(100 * r.share).toFixed(2)} % | ${r.latency.toFixed(1)} | ${r.worst.toFixed(1)} | ${(100 * r.load).toFixed(0)} %${voided ? " (void)" : ""} |`);
}
console.log(`efficiency-real ratio ${(1 / least).toFixed(2)}`);
