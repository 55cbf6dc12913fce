import type { Grant } from "../wire/control.ts";

const OTHERS = "0".repeat(32); // the grant for every content that has none of its own

/** The rate at which a player may be answered for a content, bit/s; 0 for any. */
export function grantOf(grants: readonly Grant[], content: string): number {
  return (grants.find((g) => g.content === content) ?? grants.find((g) => g.content === OTHERS))?.rate ?? 0;
}
