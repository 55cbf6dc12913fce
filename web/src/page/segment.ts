// Pure questions about the runs of a URL.
import { endOf, nextOf, sizeOf, type SignedManifest } from "../wire/manifest.ts";
import { numberAt, type Held } from "./held.ts";

export type Missing = {
  numbers: number[]; // stated, not held
  bytes: number; // of them
  whole: boolean; // the runs reach to the end: nothing is unstated
};

/** What lacks from a byte on, to `end` (exclusive) or to the end of the segment. */
export function missingOf(held: Held, url: string, from: number, end: number | null): Missing {
  const numbers: number[] = [];
  let bytes = 0;
  let at = from;
  for (;;) {
    if (end !== null && at >= end) return { numbers, bytes, whole: true };
    const run = held.runAt(url, at);
    if (!run) return { numbers, bytes, whole: end === null && held.runsOf(url).some((r) => endsAt(r, at)) };
    const m = run.manifest;
    const last = end === null ? nextOf(m) : Math.min(nextOf(m), numberAt(run, end - 1) + 1);
    for (let n = numberAt(run, at); n < last; n++) {
      if (held.has(n)) continue;
      numbers.push(n);
      bytes += sizeOf(m, n);
    }
    at = endOf(m);
  }
}

function endsAt(run: SignedManifest, at: number): boolean {
  return run.manifest.ends && endOf(run.manifest) === at;
}

/** True if players ask for this URL by byte range: it holds more than one segment. */
export function isRanged(runs: readonly SignedManifest[]): boolean {
  return runs.some((r) => r.manifest.start > 0);
}

/** Length of a URL's body, once the runs from 0 to its end are stated; null before, and for ranged URLs. */
export function totalOf(runs: readonly SignedManifest[]): number | null {
  if (isRanged(runs)) return null;
  const last = runs.find((r) => r.manifest.ends);
  return last ? endOf(last.manifest) : null;
}
