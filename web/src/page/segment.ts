// Pure questions about the runs of a URL.
import type { Held } from "./held.ts";
import { endOf, nextOf, numberAt, sizeOf, type Place } from "./place.ts";

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
    const p = held.placeAt(url, at);
    if (!p) return { numbers, bytes, whole: end === null && held.placesOf(url).some((q) => q.ends && endOf(q) === at) };
    const last = end === null ? nextOf(p) : Math.min(nextOf(p), numberAt(p, end - 1) + 1);
    for (let n = numberAt(p, at); n < last; n++) {
      if (held.has(n)) continue;
      numbers.push(n);
      bytes += sizeOf(p, n);
    }
    at = endOf(p);
  }
}

/** True if players ask for this URL by byte range: no statement is about all of it. */
export function isRanged(places: readonly Place[]): boolean {
  return places.some((p) => p.ranged) && !places.some((p) => p.alias && !p.ranged);
}

/** Length of a URL's body, once the runs to its end are stated; null before, and for ranged URLs. */
export function totalOf(places: readonly Place[]): number | null {
  if (isRanged(places)) return null;
  const last = places.find((p) => p.ends && !p.ranged);
  return last ? endOf(last) : null;
}
