// The origin's statement of a run, laid out as in manifest.go.
import { FrameError, Reader } from "./bytes.ts";
import { CHUNK_SIZE, MAX_HEADER_VALUE, MAX_HEADERS, MAX_NUMBER, MAX_RUN, MAX_SEGMENT, MAX_URL } from "./constants.ts";
import type { ContentID } from "./frame.ts";
import { open } from "./sign.ts";

export type Manifest = {
  content: ContentID;
  first: number; // number of the run's first chunk
  start: number; // where the segment begins in its URL's body
  offset: number; // where this run begins in its URL's body
  length: number; // bytes of the run
  expires: number; // ms on the origin's clock
  ends: boolean; // the run ends its segment
  ranged: boolean; // the segment is a byte range of its URL's body
  url: string;
  headers: { name: string; value: string }[];
  digests: Uint8Array[];
};

/** A manifest whose signature was checked. Only open makes it. */
export class SignedManifest {
  readonly #brand = true;
  readonly manifest: Manifest;
  readonly raw: Uint8Array;

  private constructor(manifest: Manifest, raw: Uint8Array) {
    this.manifest = manifest;
    this.raw = raw;
  }

  static is(v: unknown): v is SignedManifest {
    return v instanceof SignedManifest && v.#brand;
  }

  static async open(site: CryptoKey, bytes: Uint8Array): Promise<SignedManifest> {
    const raw = bytes.slice();
    return new SignedManifest(parseManifest(await open(site, "manifest", raw)), raw);
  }
}

/** The number after the run's last chunk. */
export function nextOf(m: Manifest): number {
  return m.first + m.digests.length;
}

/** Where the run ends in its URL's body. */
export function endOf(m: Manifest): number {
  return m.offset + m.length;
}

/** Bytes of chunk n of the run; 0 if it is not in it. */
export function sizeOf(m: Manifest, n: number): number {
  if (n < m.first || n >= nextOf(m)) return 0;
  return n === nextOf(m) - 1 ? m.length - (m.digests.length - 1) * CHUNK_SIZE : CHUNK_SIZE;
}

export function parseManifest(statement: Uint8Array): Manifest {
  const r = new Reader(statement);
  const m: Manifest = {
    content: r.hex(16),
    first: r.u64(),
    start: r.u64(),
    offset: r.u64(),
    length: r.u32(),
    expires: r.u64(),
    ...flagsOf(r.u8()),
    url: r.text16(),
    headers: [],
    digests: [],
  };
  const headers = r.u8();
  if (headers > MAX_HEADERS) throw new FrameError(`manifest of ${headers} headers`);
  for (let i = 0; i < headers; i++) m.headers.push({ name: r.text8(), value: r.text16() });
  const count = r.u8();
  if (count > MAX_RUN) throw new FrameError(`manifest of ${count} chunks`);
  for (let i = 0; i < count; i++) m.digests.push(r.bytes(32));
  validate(m);
  return m;
}

function flagsOf(flags: number): Pick<Manifest, "ends" | "ranged"> {
  return { ends: (flags & 1) !== 0, ranged: (flags & 4) !== 0 }; // bit 1 is reserved for parity
}

function validate(m: Manifest): void {
  const bytes = new TextEncoder();
  if (m.digests.length === 0 || Math.ceil(m.length / CHUNK_SIZE) !== m.digests.length) {
    throw new FrameError(`manifest: ${m.length} bytes in ${m.digests.length} chunks`);
  }
  if (m.offset < m.start || m.offset - m.start > MAX_SEGMENT || m.first > MAX_NUMBER - MAX_RUN) {
    throw new FrameError("manifest: number is out of bounds");
  }
  if (!m.url.startsWith("/") || bytes.encode(m.url).length > MAX_URL) throw new FrameError("manifest: not a path");
  for (const h of m.headers) {
    if (h.name === "" || bytes.encode(h.value).length > MAX_HEADER_VALUE) throw new FrameError("manifest: header");
  }
}
