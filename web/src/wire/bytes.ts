// Bytes in and out: big-endian values, hexadecimal, unpadded base64url.

/** A message that contradicts its own bounds: close the link it came by. */
export class FrameError extends Error {}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Reads big-endian values from bytes that a stranger may have written; slices alias them. */
export class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  bytes(n: number): Uint8Array {
    return this.#bytes.subarray(this.#take(n), this.#at);
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): number {
    const at = this.#take(8);
    const v = this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
    if (v > Number.MAX_SAFE_INTEGER) throw new FrameError("number is out of bounds");
    return v;
  }

  hex(n: number): string {
    return toHex(this.bytes(n));
  }

  text8(): string {
    return utf8.decode(this.bytes(this.u8()));
  }

  text16(): string {
    return utf8.decode(this.bytes(this.u16()));
  }

  #take(n: number): number {
    const at = this.#at;
    if (at + n > this.#bytes.length) throw new FrameError("message is cut short");
    this.#at = at + n;
    return at;
  }
}

/** Writes big-endian values; grows as needed. */
export class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  bytes(b: Uint8Array): this {
    const at = this.#room(b.length);
    this.#bytes.set(b, at);
    return this;
  }

  u8(v: number): this {
    const at = this.#room(1);
    this.#view.setUint8(at, v);
    return this;
  }

  u16(v: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, v);
    return this;
  }

  u32(v: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, v);
    return this;
  }

  u64(v: number): this {
    const at = this.#room(8);
    this.#view.setUint32(at, Math.floor(v / 2 ** 32));
    this.#view.setUint32(at + 4, v % 2 ** 32);
    return this;
  }

  hex(text: string): this {
    return this.bytes(fromHex(text));
  }

  text8(text: string): this {
    const b = encoder.encode(text).subarray(0, 255);
    return this.u8(b.length).bytes(b);
  }

  text16(text: string): this {
    const b = encoder.encode(text);
    return this.u16(b.length).bytes(b);
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }

  #room(n: number): number {
    const at = this.#at;
    this.#at += n;
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#at, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

export function toHex(b: Uint8Array): string {
  let out = "";
  for (const v of b) out += v.toString(16).padStart(2, "0");
  return out;
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new FrameError("not hexadecimal");
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

export function toBase64url(b: Uint8Array): string {
  let raw = "";
  for (const v of b) raw += String.fromCharCode(v);
  return btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Strict, as in Go: no padding, and no bits left over in the last character. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) throw new FrameError("not base64url");
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  if (toBase64url(out) !== text) throw new FrameError("not base64url");
  return out;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const w = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    w.set(p, at);
    at += p.length;
  }
  return w;
}

/** SHA-256 of b, as an array that nobody else holds. */
export async function sha256(b: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", b as Uint8Array<ArrayBuffer>));
}
