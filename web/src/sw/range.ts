/** What a Range header asks for, as far as it is answered here; end is inclusive, null is open. */
export type ByteRange = { start: number; end: number | null };

/** Returns null for no header, "other" for one that is left to plain HTTP. */
export function parseRange(header: string | null): ByteRange | null | "other" {
  if (header === null) return null;
  const m = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header.trim());
  if (!m?.[1]) return "other";
  const start = Number(m[1]);
  const end = m[2] ? Number(m[2]) : null;
  return end !== null && end < start ? "other" : { start, end };
}
