// The origin's statement of where a content stands, laid out as in update.go.
import { concat, equal, FrameError, Reader, sha256 } from "./bytes.ts";
import { MAX_PLAYLIST, MAX_URL } from "./constants.ts";
import type { ContentID, Edit } from "./frame.ts";
import { open } from "./sign.ts";

export type Update = {
  content: ContentID;
  epoch: number;
  sequence: number;
  issued: number; // ms on the origin's clock
  expires: number; // ms on the origin's clock
  next: number; // first number that was not cut when this was issued
  lastFirst: number; // the chunks of the last listed segment: players are shown
  lastNext: number; // this playlist once they are held
  target: number; // target duration, ms
  k: number; // partitions
  ended: boolean;
  length: number; // bytes of the playlist
  digest: Uint8Array;
  url: string;
  mime: string; // the playlist's Content-Type
};

/** An update whose signature was checked. Only open makes it. */
export class SignedUpdate {
  readonly #brand = true;
  readonly update: Update;
  readonly raw: Uint8Array;

  private constructor(update: Update, raw: Uint8Array) {
    this.update = update;
    this.raw = raw;
  }

  static is(v: unknown): v is SignedUpdate {
    return v instanceof SignedUpdate && v.#brand;
  }

  static async open(site: CryptoKey, bytes: Uint8Array): Promise<SignedUpdate> {
    const raw = bytes.slice();
    return new SignedUpdate(parseUpdate(await open(site, "update", raw)), raw);
  }
}

/** Tells whether u replaces old. */
export function newer(u: Update, old: Update): boolean {
  return u.epoch !== old.epoch ? u.epoch > old.epoch : u.sequence > old.sequence;
}

/** Tells whether playlist is the one that the update states. */
export async function matches(u: Update, playlist: Uint8Array): Promise<boolean> {
  return playlist.length === u.length && equal(await sha256(playlist), u.digest);
}

export function parseUpdate(statement: Uint8Array): Update {
  const r = new Reader(statement);
  const u: Update = {
    content: r.hex(16),
    epoch: r.u64(),
    sequence: r.u64(),
    issued: r.u64(),
    expires: r.u64(),
    next: r.u64(),
    lastFirst: r.u64(),
    lastNext: r.u64(),
    target: r.u32(),
    k: r.u8(),
    ended: (r.u8() & 1) !== 0,
    length: r.u32(),
    digest: r.bytes(32),
    url: r.text16(),
    mime: r.text8(),
  };
  if (![1, 2, 4, 8].includes(u.k)) throw new FrameError(`update: ${u.k} partitions`);
  if (u.length > MAX_PLAYLIST) throw new FrameError(`update: playlist of ${u.length} bytes`);
  if (u.lastFirst > u.lastNext || u.lastNext > u.next) throw new FrameError("update: last segment is out of bounds");
  if (!u.url.startsWith("/") || new TextEncoder().encode(u.url).length > MAX_URL) throw new FrameError("update: not a path");
  return u;
}

/** Makes the new playlist out of the old one; throws FrameError if the edit does not fit. */
export function applyEdit(e: Edit, old: Uint8Array): Uint8Array<ArrayBuffer> {
  if (e.from > e.to || e.to > old.length) throw new FrameError(`edit keeps bytes ${e.from} to ${e.to} of ${old.length}`);
  const size = e.head.length + (e.to - e.from) + e.tail.length;
  if (size > MAX_PLAYLIST) throw new FrameError(`edit makes a playlist of ${size} bytes`);
  return concat(e.head, old.subarray(e.from, e.to), e.tail);
}
