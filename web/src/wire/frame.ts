// The frames of a link, as wire/doc.go lays them out. Byte slices in a frame
// that was read alias the message.
import { FrameError, Reader, Writer } from "./bytes.ts";
import { CHUNK_SIZE, MAX_ASK } from "./constants.ts";

export type Role = "origin" | "booster" | "viewer";
const roles: readonly Role[] = ["origin", "booster", "viewer"];

/** Content, peer and swarm names are 32 lower-case hexadecimal digits. */
export type ContentID = string;
export type PeerID = string;

export type Edit = { from: number; to: number; head: Uint8Array; tail: Uint8Array };

export type Hello = {
  type: "hello";
  version: number;
  features: number;
  role: Role | "";
  site: Uint8Array;
  key: Uint8Array;
  signature: Uint8Array;
};
export type UpdateFrame = { type: "update"; update: Uint8Array; edit: Edit | null; manifests: Uint8Array[] };
export type RangeFrame = { type: "range"; content: ContentID; partitions: number; first: number; next: number };
export type Ask = { type: "ask"; content: ContentID; within: number; numbers: number[] };
export type Missing = { type: "missing"; content: ContentID; numbers: number[] };
export type Part = { type: "part"; last: boolean; bytes: Uint8Array };
export type Ping = { type: "ping"; answer: boolean; id: number };
export type Bye = { type: "bye"; code: number; reason: string };
export type Past = { type: "past"; content: ContentID; partitions: number; from: number };
export type Enough = { type: "enough"; content: ContentID; partition: number; from: number };
export type Have = { type: "have"; content: ContentID; numbers: number[] };
export type ChunkFrame = { type: "chunk"; content: ContentID; number: number; payload: Uint8Array };
export type Frame =
  | Hello
  | UpdateFrame
  | RangeFrame
  | Ask
  | Missing
  | Part
  | Ping
  | Bye
  | Past
  | Enough
  | Have
  | ChunkFrame;

/** Why a link is closed. */
export const bye = { done: 0, version: 2, badChunk: 3, proof: 4, frame: 5 } as const;

/** Returns null for a type that this version does not know; throws FrameError if malformed. */
export function readFrame(message: Uint8Array): Frame | null {
  const r = new Reader(message);
  switch (r.u8()) {
    case 0x01:
      return readHello(r);
    case 0x02:
      return readUpdate(r);
    case 0x03:
      return { type: "range", content: r.hex(16), partitions: r.u8(), first: r.u64(), next: r.u64() };
    case 0x04:
      return { type: "ask", content: r.hex(16), within: r.u32(), numbers: readNumbers(r) };
    case 0x05:
      return { type: "missing", content: r.hex(16), numbers: readNumbers(r) };
    case 0x06:
      return { type: "part", last: (r.u8() & 1) !== 0, bytes: r.rest() };
    case 0x07:
      return { type: "ping", answer: (r.u8() & 1) !== 0, id: r.u32() };
    case 0x08:
      return { type: "bye", code: r.u8(), reason: r.text8() };
    case 0x09:
      return { type: "past", content: r.hex(16), partitions: r.u8(), from: r.u64() };
    case 0x0a:
      return { type: "enough", content: r.hex(16), partition: r.u8(), from: r.u64() };
    case 0x0b:
      return { type: "have", content: r.hex(16), numbers: readNumbers(r) };
    case 0x10:
      return readChunk(r);
    default:
      return null;
  }
}

export function writeFrame(f: Frame): Uint8Array<ArrayBuffer> {
  const w = new Writer();
  switch (f.type) {
    case "hello":
      w.u8(0x01).u16(f.version).u32(f.features);
      return w.u8(roleByte(f.role)).bytes(f.site).bytes(f.key).bytes(f.signature).done();
    case "update":
      return writeUpdate(w, f);
    case "range":
      return w.u8(0x03).hex(f.content).u8(f.partitions).u64(f.first).u64(f.next).done();
    case "ask":
      return writeNumbers(w.u8(0x04).hex(f.content).u32(f.within), f.numbers);
    case "missing":
      return writeNumbers(w.u8(0x05).hex(f.content), f.numbers);
    case "part":
      return w.u8(0x06).u8(f.last ? 1 : 0).bytes(f.bytes).done();
    case "ping":
      return w.u8(0x07).u8(f.answer ? 1 : 0).u32(f.id).done();
    case "bye":
      return w.u8(0x08).u8(f.code).text8(f.reason).done();
    case "past":
      return w.u8(0x09).hex(f.content).u8(f.partitions).u64(f.from).done();
    case "enough":
      return w.u8(0x0a).hex(f.content).u8(f.partition).u64(f.from).done();
    case "have":
      return writeNumbers(w.u8(0x0b).hex(f.content), f.numbers);
    case "chunk":
      return w.u8(0x10).hex(f.content).u64(f.number).u8(0).bytes(f.payload).done();
  }
}

function roleByte(role: Role | ""): number {
  return role === "" ? roles.length : roles.indexOf(role);
}

function readHello(r: Reader): Hello {
  const version = r.u16();
  const features = r.u32();
  const role = roles[r.u8()] ?? "";
  return { type: "hello", version, features, role, site: r.bytes(32), key: r.bytes(32), signature: r.bytes(64) };
}

function readUpdate(r: Reader): UpdateFrame {
  const update = r.bytes(r.u16());
  const flags = r.u8();
  const edit = { from: r.u32(), to: r.u32(), head: r.bytes(r.u32()), tail: r.bytes(r.u32()) };
  const manifests: Uint8Array[] = [];
  for (let count = r.u8(); count > 0; count--) manifests.push(r.bytes(r.u16()));
  return { type: "update", update, edit: (flags & 1) !== 0 ? edit : null, manifests };
}

const noBytes = new Uint8Array(0);

function writeUpdate(w: Writer, f: UpdateFrame): Uint8Array<ArrayBuffer> {
  const e = f.edit ?? { from: 0, to: 0, head: noBytes, tail: noBytes };
  w.u8(0x02).u16(f.update.length).bytes(f.update).u8(f.edit ? 1 : 0);
  w.u32(e.from).u32(e.to).u32(e.head.length).bytes(e.head).u32(e.tail.length).bytes(e.tail);
  w.u8(f.manifests.length);
  for (const m of f.manifests) w.u16(m.length).bytes(m);
  return w.done();
}

function readChunk(r: Reader): ChunkFrame | null {
  const content = r.hex(16);
  const number = r.u64();
  const flags = r.u8();
  const payload = r.rest();
  if (flags !== 0) return null; // bit 0 is reserved for parity
  if (payload.length === 0 || payload.length > CHUNK_SIZE) throw new FrameError(`chunk of ${payload.length} bytes`);
  return { type: "chunk", content, number, payload };
}

function readNumbers(r: Reader): number[] {
  const count = r.u8();
  if (count > MAX_ASK) throw new FrameError(`${count} numbers, at most ${MAX_ASK}`);
  return Array.from({ length: count }, () => r.u64());
}

function writeNumbers(w: Writer, numbers: number[]): Uint8Array<ArrayBuffer> {
  w.u8(numbers.length);
  for (const n of numbers) w.u64(n);
  return w.done();
}
