import { fromBase64url, toBase64url } from "../wire/bytes.ts";

export type Ticket = { ticket: string; now: number; epoch: number; site: Uint8Array; planner: Uint8Array; http: number };

/** Asks the origin to admit this page's DTLS fingerprint. */
export async function fetchTicket(prefix: string, fingerprint: Uint8Array): Promise<Ticket> {
  const response = await fetch(`${prefix}ticket`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ fingerprint: toBase64url(fingerprint) }),
    cache: "no-store",
  });
  if (!response.ok) throw new Error(`ticket: status ${response.status}`);
  const t = (await response.json()) as Record<string, unknown>;
  if (typeof t.ticket !== "string" || typeof t.now !== "number" || typeof t.site !== "string") {
    throw new Error("ticket: not understood");
  }
  const planner = typeof t.planner === "string" ? fromBase64url(t.planner) : new Uint8Array(0);
  const http = typeof t.http === "number" && t.http > 0 ? t.http : 0; // bit/s that the host can spare, 0: unknown
  return { ticket: t.ticket, now: t.now, epoch: Number(t.epoch ?? 0), site: fromBase64url(t.site), planner, http };
}
