// What tests are made of: a site that signs, runs, updates, chunks.
import { concat, sha256, Writer } from "../src/wire/bytes.ts";
import { CHUNK_SIZE } from "../src/wire/constants.ts";
import { SignedManifest } from "../src/wire/manifest.ts";
import { sign, type Kind } from "../src/wire/sign.ts";
import { SignedUpdate } from "../src/wire/update.ts";

export const CONTENT = "00112233445566778899aabbccddeeff";

export type Site = { key: CryptoKey; public: CryptoKey };

export async function newSite(): Promise<Site> {
  const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  return { key: pair.privateKey, public: pair.publicKey };
}

export async function seal(site: Site, kind: Kind, statement: Uint8Array): Promise<Uint8Array> {
  return concat(await sign(site.key, kind, statement), statement);
}

/** Bytes that differ from place to place. */
export function media(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed * 13) & 255);
}

export function cut(data: Uint8Array): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += CHUNK_SIZE) out.push(data.subarray(at, at + CHUNK_SIZE));
  return out;
}

export type Run = { first: number; url: string; start?: number; offset?: number; ends?: boolean; ranged?: boolean; expires?: number };

export async function rawRun(site: Site, r: Run, data: Uint8Array): Promise<Uint8Array> {
  const w = new Writer().hex(CONTENT).u64(r.first).u64(r.start ?? 0).u64(r.offset ?? 0).u32(data.length);
  w.u64(r.expires ?? 1e12).u8((r.ends === false ? 0 : 1) | (r.ranged ? 4 : 0)).text16(r.url).u8(1).text8("Content-Type").text16("video/mp2t");
  const chunks = cut(data);
  w.u8(chunks.length);
  for (const c of chunks) w.bytes(await sha256(c));
  return seal(site, "manifest", w.done());
}

export async function newRun(site: Site, r: Run, data: Uint8Array): Promise<SignedManifest> {
  return SignedManifest.open(site.public, await rawRun(site, r, data));
}

export type Up = { sequence: number; next: number; lastFirst: number; lastNext: number; ended?: boolean; expires?: number; epoch?: number; content?: string };

export async function rawUpdate(site: Site, u: Up, playlist: Uint8Array): Promise<Uint8Array> {
  const w = new Writer().hex(u.content ?? CONTENT).u64(u.epoch ?? 1).u64(u.sequence).u64(0).u64(u.expires ?? 1e12);
  w.u64(u.next).u64(u.lastFirst).u64(u.lastNext).u32(2000).u8(4).u8(u.ended ? 1 : 0).u32(playlist.length);
  w.bytes(await sha256(playlist)).text16("/live/index.m3u8").text8("application/vnd.apple.mpegurl");
  return seal(site, "update", w.done());
}

export async function newUpdate(site: Site, u: Up, playlist: Uint8Array): Promise<SignedUpdate> {
  return SignedUpdate.open(site.public, await rawUpdate(site, u, playlist));
}
