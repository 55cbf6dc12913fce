// The corpus that Go reads too: what one side says, the other understands.
import { test } from "node:test";
import assert from "node:assert/strict";
import aliases from "../../wire/testdata/vectors/aliases.json";
import changes from "../../wire/testdata/vectors/changes.json";
import control from "../../wire/testdata/vectors/control.json";
import edits from "../../wire/testdata/vectors/edits.json";
import frames from "../../wire/testdata/vectors/frames.json";
import statements from "../../wire/testdata/vectors/statements.json";
import { parseAlias } from "../src/wire/alias.ts";
import { openCertificate } from "../src/wire/certificate.ts";
import { FrameError, fromHex, toHex } from "../src/wire/bytes.ts";
import { changedPlan, decode, encode, type Outgoing } from "../src/wire/control.ts";
import { readFrame, writeFrame, type Frame } from "../src/wire/frame.ts";
import { SignedManifest } from "../src/wire/manifest.ts";
import { importKey, SignatureError } from "../src/wire/sign.ts";
import { applyEdit, SignedUpdate } from "../src/wire/update.ts";
import { ChunkError, VerifiedChunk } from "../src/wire/verified.ts";

type Row = Record<string, unknown> & { name: string; error?: string };

/** Byte fields as hexadecimal; zero values, which Go leaves out, are left out. */
function plain(v: unknown): unknown {
  if (v instanceof Uint8Array) return toHex(v) || undefined;
  if (Array.isArray(v)) return v.length === 0 ? undefined : v.map((x) => plain(x) ?? x);
  if (typeof v !== "object" || v === null) return v === 0 || v === "" || v === false || v === null ? undefined : v;
  const out: Record<string, unknown> = {};
  for (const [name, x] of Object.entries(v)) {
    const p = plain(x);
    if (p !== undefined) out[name] = p;
  }
  return Object.keys(out).length === 0 ? undefined : out;
}

for (const row of frames as Row[]) {
  test(`frame: ${row.name}`, () => {
    const bytes = fromHex(row.bytes as string);
    if (row.error === "malformed") return assert.throws(() => readFrame(bytes), FrameError);
    const frame = readFrame(bytes);
    if (row.error === "unknown") return assert.equal(frame, null);
    assert(frame);
    assert.deepEqual(plain(frame), plain(row.frame));
    const again = readFrame(writeFrame(frame));
    assert.deepEqual(again, frame);
    if (!row.name.includes("later version")) assert.equal(toHex(writeFrame(frame as Frame)), row.bytes);
  });
}

for (const row of aliases as Row[]) {
  test(`alias: ${row.name}`, () => {
    const bytes = fromHex(row.bytes as string);
    if (row.error) return assert.throws(() => parseAlias(bytes), FrameError);
    assert.deepEqual(plain(parseAlias(bytes)), plain(row.alias));
  });
}

/** Opens a statement of each kind and names its fields as the corpus does. */
const openers: Record<string, (site: CryptoKey, raw: Uint8Array, now: number) => Promise<object>> = {
  manifest: async (site, raw) => pairs((await SignedManifest.open(site, raw)).manifest),
  update: async (site, raw) => rename((await SignedUpdate.open(site, raw)).update),
  certificate: openCertificate,
};
const refusals: Record<string, unknown> = { signature: SignatureError, malformed: FrameError, expired: /expired/ };

for (const row of statements as Row[]) {
  test(`statement: ${row.name}`, async () => {
    const site = await importKey(fromHex(row.site as string));
    const raw = fromHex(row.raw as string);
    const opened = openers[row.kind as string]?.(site, raw, row.now as number);
    assert(opened);
    if (row.error) return assert.rejects(opened, refusals[row.error]);
    const got = await opened;
    const { signature: _, ...want } = row.statement as Record<string, unknown>;
    assert.deepEqual(plain(got), plain(want));
  });
}

/** In a frame "type" names the frame, so the playlist's type is called mime here. */
function rename(u: { mime: string }): object {
  const { mime, ...rest } = u;
  return { ...rest, contentType: mime };
}

/** Headers stand in the corpus as pairs. */
function pairs(m: { headers: { name: string; value: string }[] }): object {
  return { ...m, headers: m.headers.map((h) => [h.name, h.value]) };
}

test("chunks against their manifests", async () => {
  let rows = 0;
  for (const row of statements as Row[]) {
    for (const c of (row.chunks ?? row.chunk ?? []) as { number: number; data: string; ok: boolean }[]) {
      rows++;
      const site = await importKey(fromHex(row.site as string));
      const signed = await SignedManifest.open(site, fromHex(row.raw as string));
      const verified = VerifiedChunk.verify(signed, c.number, fromHex(c.data));
      if (c.ok) assert((await verified).number === c.number);
      else await assert.rejects(verified, ChunkError);
    }
  }
  assert(rows > 0, "the corpus has chunk rows");
});

for (const row of control as Row[]) {
  test(`control: ${row.name}`, () => {
    const text = row.text as string;
    if (row.error === "malformed") return assert.throws(() => decode(text), FrameError);
    const message = decode(text);
    if (row.error === "unknown") return assert.equal(message, null);
    assert(message);
    const said: unknown = JSON.parse(encode(message as Outgoing));
    assert.deepEqual(plain(said), plain(row.message));
    assert.deepEqual(decode(encode(message as Outgoing)), message);
  });
}

for (const row of edits as Row[]) {
  test(`edit: ${row.name}`, () => {
    const bytes = (s: unknown): Uint8Array => new TextEncoder().encode((s as string | undefined) ?? "");
    const edit = { from: row.from as number, to: row.to as number, head: bytes(row.head), tail: bytes(row.tail) };
    if (row.error) return assert.throws(() => applyEdit(edit, bytes(row.old)), FrameError);
    assert.equal(new TextDecoder().decode(applyEdit(edit, bytes(row.old))), row.next ?? "");
  });
}

for (const row of changes as Row[]) {
  test(`change of a plan: ${row.name}`, () => {
    const old = decode(row.old as string);
    const change = decode(row.change as string);
    assert(old?.type === "plan" && change?.type === "change");
    if (row.error) return assert.throws(() => changedPlan(old, change), FrameError);
    const next = changedPlan(old, change);
    assert.deepEqual(plain(JSON.parse(encode({ type: "plan", ...next }))), plain(JSON.parse(row.next as string)));
  });
}
