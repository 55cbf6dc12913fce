// Which chunks are late: three higher numbers of their partition are here that nobody
// was asked for, or they are 500 ms past their paced time (in low latency a part's duration) and their
// partition has come to a halt. One that goes on is behind on a full line, and what
// is asked of others then comes twice, on lines that are full as well.
import { CHUNK_SIZE } from "../wire/constants.ts";
import { nextOf } from "../wire/manifest.ts";
import type { Held } from "./held.ts";

const LATE_MS = 500;
const SOON_MS = 150; // for the shortest parts
const OVERTAKEN = 3;

/** When chunk n should be here if the run comes at the content's rate (bit/s). */
export function pacedTime(arrived: number, index: number, rate: number): number {
  return rate > 0 ? arrived + ((index + 1) * CHUNK_SIZE * 8000) / rate : arrived;
}

/**
 * Late numbers from `from` on, ascending, at most `max`; goesOn tells of a number's
 * partition whether a parent still brings it, answer of one that is here whether it
 * was asked for: that says nothing of those below it.
 */
export function lateNumbers(
  held: Held,
  from: number,
  rate: number,
  now: number,
  goesOn: (n: number) => boolean,
  answer: (n: number) => boolean = () => false,
  max = 256,
): number[] {
  const out: number[] = [];
  const patience = held.part > 0 ? Math.max(SOON_MS, Math.min(held.part, LATE_MS)) : LATE_MS;
  for (const { manifest: m } of held.runs) {
    const arrived = held.arrivals.get(m.first);
    if (nextOf(m) <= from || arrived === undefined) continue;
    for (let n = Math.max(from, m.first); n < nextOf(m) && out.length < max; n++) {
      if (held.has(n) || out.at(-1) === n) continue;
      const past = now > pacedTime(arrived, n - m.first, rate) + patience;
      if ((past && (held.part > 0 || !goesOn(n))) || overtaken(held, n, answer)) out.push(n);
    }
  }
  return out;
}

function overtaken(held: Held, n: number, answer: (n: number) => boolean): boolean {
  let higher = 0;
  for (let i = 1; i <= 2 * OVERTAKEN && higher < OVERTAKEN; i++) if (held.has(n + i * held.k) && !answer(n + i * held.k)) higher++;
  return higher >= OVERTAKEN;
}
