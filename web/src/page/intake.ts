// What comes in, from links and over HTTP, is checked here and nowhere else.
import type { ChunkFrame, ContentID, UpdateFrame } from "../wire/frame.ts";
import { SignedManifest } from "../wire/manifest.ts";
import { applyEdit, matches, newer, SignedUpdate } from "../wire/update.ts";
import { VerifiedChunk } from "../wire/verified.ts";
import type { Copy, Held } from "./held.ts";
import type { Memory } from "./memory.ts";

const PARK = 64; // chunks of one link that wait for their manifest
const PARK_MS = 1000;

export type Blamed = { content: ContentID; number: number };

export type IntakeEvents = {
  run(held: Held, run: SignedManifest): void; // new
  copy(held: Held, copy: Copy): void; // new
  chunk(held: Held, chunk: VerifiedChunk, from: string): void; // new
  duplicate(from: string, frame: ChunkFrame): void; // held already, so not looked at
  bad(from: string, blame: Blamed): void;
};

type Parked = { frame: ChunkFrame; until: number };

export class Intake {
  readonly #site: CryptoKey;
  readonly #memory: Memory;
  readonly #events: IntakeEvents;
  readonly #parked = new Map<string, Parked[]>();
  readonly #checked = new Map<string, SignedManifest | SignedUpdate>(); // by bytes: several parents send the same

  constructor(site: CryptoKey, memory: Memory, events: IntakeEvents) {
    this.#site = site;
    this.#memory = memory;
    this.#events = events;
  }

  /** Rejects if a signature does not match: the sender is not one to listen to. */
  async update(f: UpdateFrame, now: number): Promise<Held | null> {
    let held: Held | null = null;
    for (const raw of f.manifests) {
      const run = await this.#open(raw, (b) => SignedManifest.open(this.#site, b));
      held = this.#memory.of(run.manifest.content);
      if (!held.addRun(run, now)) continue;
      this.#events.run(held, run);
      this.#unpark(run, now);
    }
    if (f.update.length === 0) return held;
    const signed = await this.#open(f.update, (b) => SignedUpdate.open(this.#site, b));
    held = this.#memory.of(signed.update.content, signed.update.k);
    await this.#playlist(held, signed, f, now);
    return held;
  }

  async chunk(f: ChunkFrame, from: string, now: number): Promise<void> {
    const held = this.#memory.get(f.content);
    if (held?.has(f.number)) return this.#events.duplicate(from, f);
    const run = held?.runOf(f.number);
    if (!held || !run) return this.#park(f, from, now);
    let chunk: VerifiedChunk;
    try {
      chunk = await VerifiedChunk.verify(run, f.number, f.payload);
    } catch {
      return this.#events.bad(from, { content: f.content, number: f.number });
    }
    if (held.put(chunk)) this.#events.chunk(held, chunk, from);
    else this.#events.duplicate(from, f);
  }

  forget(from: string): void {
    this.#parked.delete(from);
  }

  /** Checks a statement once, however many links bring it. */
  async #open<T extends SignedManifest | SignedUpdate>(raw: Uint8Array, open: (b: Uint8Array) => Promise<T>): Promise<T> {
    const key = String.fromCharCode(...raw.subarray(0, 64)); // the signature names the statement...
    const known = this.#checked.get(key);
    if (known && same(known.raw, raw)) return known as T; // ...and every byte is compared
    const opened = await open(raw);
    this.#checked.set(key, opened);
    if (this.#checked.size > 512) this.#checked.delete(this.#checked.keys().next().value ?? "");
    return opened;
  }

  async #playlist(held: Held, signed: SignedUpdate, f: UpdateFrame, now: number): Promise<void> {
    const newest = held.newest ?? null;
    if (newest && !newer(signed.update, newest.signed.update)) return;
    if (!f.edit) return;
    const whole = f.edit.from === f.edit.to && f.edit.tail.length === 0;
    const bases = whole ? [null] : held.copies.toReversed();
    for (const base of bases) {
      const playlist = tryEdit(f.edit, base?.playlist ?? new Uint8Array(0));
      if (!playlist || !(await matches(signed.update, playlist))) continue;
      const edit = whole ? null : { ...f.edit, head: f.edit.head.slice(), tail: f.edit.tail.slice() };
      const copy: Copy = { signed, playlist, arrived: now, edit, base: base?.signed ?? null };
      if (held.addCopy(copy)) this.#events.copy(held, copy);
      return;
    }
  }

  #park(frame: ChunkFrame, from: string, now: number): void {
    const parked = (this.#parked.get(from) ?? []).filter((p) => p.until > now);
    if (parked.length < PARK) parked.push({ frame, until: now + PARK_MS });
    this.#parked.set(from, parked);
  }

  #unpark(run: SignedManifest, now: number): void {
    const m = run.manifest;
    const ours = (p: Parked): boolean =>
      p.frame.content === m.content && p.frame.number >= m.first && p.frame.number < m.first + m.digests.length;
    for (const [from, parked] of this.#parked) {
      this.#parked.set(from, parked.filter((p) => !ours(p) && p.until > now));
      for (const p of parked) if (ours(p) && p.until > now) void this.chunk(p.frame, from, now);
    }
  }
}

function tryEdit(edit: NonNullable<UpdateFrame["edit"]>, old: Uint8Array): Uint8Array | null {
  try {
    return applyEdit(edit, old);
  } catch {
    return null;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
