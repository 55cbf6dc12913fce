// Readers for the JSON of control messages. As in Go, a missing or null field
// is zero, an unknown one is ignored, and one of the wrong kind is an error.
import { fromBase64url, fromHex, FrameError } from "./bytes.ts";

export type Codec<T> = (v: unknown) => T;
export type Of<C> = C extends Codec<infer T> ? T : never;
type Shape = Record<string, Codec<unknown>>;

export const text: Codec<string> = (v) => {
  if (v === undefined || v === null) return "";
  if (typeof v !== "string") throw new FrameError("want a string");
  return v;
};

export const flag: Codec<boolean> = (v) => {
  if (v === undefined || v === null) return false;
  if (typeof v !== "boolean") throw new FrameError("want true or false");
  return v;
};

export const int: Codec<number> = (v) => {
  if (v === undefined || v === null) return 0;
  if (typeof v !== "number" || !Number.isInteger(v)) throw new FrameError("want a whole number");
  return v;
};

export const uint = (bits: number): Codec<number> => (v) => {
  const n = int(v);
  if (n < 0 || n >= 2 ** bits) throw new FrameError(`want a number of ${bits} bits`);
  return n;
};

/** An id of n bytes, as lower-case hexadecimal digits. */
export const hex = (n: number): Codec<string> => (v) => {
  if (v === undefined || v === null) return "00".repeat(n);
  const s = text(v);
  if (fromHex(s).length !== n) throw new FrameError(`want ${n} bytes`);
  return s.toLowerCase();
};

/** Bytes as base64url; of length n unless n is null. */
export const bytes = (n: number | null): Codec<Uint8Array> => (v) => {
  if (v === undefined || v === null) return new Uint8Array(n ?? 0);
  const b = fromBase64url(text(v));
  if (n !== null && b.length !== n) throw new FrameError(`${b.length} bytes, want ${n}`);
  return b;
};

export const list = <T>(item: Codec<T>): Codec<T[]> => (v) => {
  if (v === undefined || v === null) return [];
  if (!Array.isArray(v)) throw new FrameError("want a list");
  return v.map((x) => item(x));
};

export const maybe = <T>(item: Codec<T>): Codec<T | null> => (v) => (v === undefined || v === null ? null : item(v));

export const object = <S extends Shape>(shape: S): Codec<{ [K in keyof S]: Of<S[K]> }> => (v) => {
  if (v === undefined || v === null) v = {};
  if (typeof v !== "object" || Array.isArray(v)) throw new FrameError("want an object");
  const from = v as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  for (const [name, read] of Object.entries(shape)) out[name] = read(Object.hasOwn(from, name) ? from[name] : undefined);
  return out as { [K in keyof S]: Of<S[K]> };
};
