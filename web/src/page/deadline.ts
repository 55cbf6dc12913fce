// When to stop waiting for peers. Times are ms on one monotonic clock.

export type Wait = {
  now: number;
  asked: number; // when the player asked
  ahead: number | null; // ms of media that the player has, null if unknown
  target: number; // ms, target duration
  missing: number; // bytes still to come
  http: { rate: number; delay: number }; // bytes per ms, and ms until the first byte
};

const PATIENCE = 5000; // ms: players give up on a silent request after some 10 s
const MARGIN = { least: 150, most: 500 }; // ms; between them a quarter of the target: a busy player's thread is late itself

/** The moment at which the last byte must be there. */
export function deadline(w: Pick<Wait, "now" | "asked" | "ahead" | "target">): number {
  const need = w.ahead === null ? w.asked + w.target / 2 : w.now + w.ahead;
  return Math.min(need, w.asked + PATIENCE);
}

/**
 * True from the last moment at which HTTP at its measured speed still makes the
 * deadline. It is not thought to take longer than half a target duration: where
 * HTTP is slow because the host's line is full, asking it for all that is about
 * to come from peers makes it no faster.
 */
export function mustFetch(w: Wait): boolean {
  if (w.missing === 0) return false;
  const body = Math.min(w.missing / Math.max(w.http.rate, 1e-3), w.target / 2);
  const takes = w.http.delay + body + Math.max(MARGIN.least, Math.min(w.target / 4, MARGIN.most));
  return w.now + takes >= deadline(w);
}
