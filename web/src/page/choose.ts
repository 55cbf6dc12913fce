import type { Copy, Held } from "./held.ts";
import { tipOf } from "./tip.ts";

/**
 * The playlist that a player is shown: the newest signed copy whose last segment
 * or part is held, at latest half a target duration, or a part's, after it came.
 * Null where HTTP must answer: nothing is held, or the newest copy is stale.
 */
export function choosePlaylist(held: Pick<Held, "copies" | "hasAll">, now: number, originNow: number): Copy | null {
  const newest = held.copies.at(-1);
  if (!newest || stale(newest, now, originNow)) return null;
  const shown = held.copies.findLast((c) => {
    const u = c.signed.update;
    return held.hasAll(u.lastFirst, u.lastNext) || now - c.arrived >= (tipOf(c.playlist).part || u.target / 2);
  });
  return shown && originNow <= shown.signed.update.expires ? shown : null;
}

/** No newer update for 1.5 target durations, or expired on the origin's clock. */
function stale(copy: Copy, now: number, originNow: number): boolean {
  const u = copy.signed.update;
  if (u.ended) return originNow > u.expires;
  return now - copy.arrived > 1.5 * u.target || originNow > u.expires;
}
