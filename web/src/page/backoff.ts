const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/**
 * For how long a page waits before it joins again, in ms. Pages whose planner went at
 * one moment do not come back at one: random, from 0 to 1, spreads them over the
 * second half of the wait.
 */
export function backoff(least: number, failures: number, random: number): number {
  return Math.max(least, Math.min(FIRST_MS * 2 ** failures, LONGEST_MS)) * (0.5 + random / 2);
}
