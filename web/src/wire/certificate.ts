// The site key's word for a planner's key, laid out as in ticket.go.
import { Reader } from "./bytes.ts";
import { open } from "./sign.ts";

export type Certificate = { planner: Uint8Array; epoch: number; expires: number };

export async function openCertificate(site: CryptoKey, raw: Uint8Array, now: number): Promise<Certificate> {
  const r = new Reader(await open(site, "certificate", raw));
  const c = { planner: r.bytes(32).slice(), epoch: r.u64(), expires: r.u64() };
  if (now > c.expires) throw new Error("certificate: expired");
  return c;
}
