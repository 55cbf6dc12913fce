// Signatures: Ed25519 over "tuber/KIND/1\0" and the exact bytes of a statement.
import { concat, FrameError } from "./bytes.ts";

export type Kind =
  | "manifest"
  | "update"
  | "certificate"
  | "ticket"
  | "join"
  | "welcome"
  | "hello"
  | "enrol";

/** A statement that was not signed by the key it should be. */
export class SignatureError extends Error {}

const SIGNATURE_SIZE = 64;

function covered(kind: Kind, statement: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(new TextEncoder().encode(`tuber/${kind}/1\0`), statement);
}

export function importKey(raw: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", raw as Uint8Array<ArrayBuffer>, "Ed25519", true, ["verify"]);
}

export async function sign(key: CryptoKey, kind: Kind, statement: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key, covered(kind, statement)));
}

/** Throws SignatureError unless key signed these exact bytes as this kind. */
export async function check(key: CryptoKey, kind: Kind, statement: Uint8Array, signature: Uint8Array): Promise<void> {
  const ok = await crypto.subtle.verify("Ed25519", key, signature as Uint8Array<ArrayBuffer>, covered(kind, statement));
  if (!ok) throw new SignatureError(`${kind}: signature does not match`);
}

/** Splits signature and statement, checks them, and returns the statement. */
export async function open(key: CryptoKey, kind: Kind, raw: Uint8Array): Promise<Uint8Array> {
  if (raw.length < SIGNATURE_SIZE) throw new FrameError(`${kind}: ${raw.length} bytes, shorter than a signature`);
  const statement = raw.subarray(SIGNATURE_SIZE);
  await check(key, kind, statement, raw.subarray(0, SIGNATURE_SIZE));
  return statement;
}

export function joinStatement(nonce: Uint8Array, planner: Uint8Array, fingerprint: Uint8Array): Uint8Array {
  return concat(nonce, planner, fingerprint);
}

export function welcomeStatement(nonce: Uint8Array, peer: Uint8Array): Uint8Array {
  return concat(nonce, peer);
}

export function helloStatement(site: Uint8Array, own: Uint8Array, other: Uint8Array): Uint8Array {
  return concat(site, own, other);
}
