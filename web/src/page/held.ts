import { aliasOf, parseAlias } from "../wire/alias.ts";
import { MAX_RUN } from "../wire/constants.ts";
import type { ContentID, Edit } from "../wire/frame.ts";
import { nextOf, type SignedManifest } from "../wire/manifest.ts";
import { newer, type SignedUpdate } from "../wire/update.ts";
import { VerifiedChunk } from "../wire/verified.ts";
import { endOf, placeOf, placesOf, type Place } from "./place.ts";
import { tipOf } from "./tip.ts";

/** A playlist with the update that vouches for it, and the edit that made it of the one before. */
export type Copy = {
  signed: SignedUpdate;
  playlist: Uint8Array;
  arrived: number; // ms, monotonic
  edit: Edit | null;
  base: SignedUpdate | null; // what the edit was applied to
};

// How long a partition may pause that goes on: between two chunks, at most 0.7 s by
// the plan, and between two segments, which come at once.
const PAUSE_MS = 1500;
const PAUSE_MORE_MS = 500; // than a segment's duration
const MAX_PAUSE_MS = 8000;

const COPIES = 8; // playlists kept: one whose segment or part is held is among them
const MAX_RUNS = 4096; // statements kept for one content

/** All that is held of one content. */
export class Held {
  readonly content: ContentID;
  k: number;
  copies: Copy[] = []; // ascending
  bytes = 0; // of chunks
  #stated = 0; // bytes of statements
  liveFrom: number | null = null; // what is cut from here on comes without asking
  readonly arrivals = new Map<number, number>(); // first number of a run -> ms, monotonic
  #runs: SignedManifest[] = []; // ascending by first number
  readonly #urls = new Map<string, Place[]>(); // ascending by offset
  readonly #aliases = new Map<SignedManifest, boolean>(); // true once its chunk was read
  readonly #chunks = new Map<number, VerifiedChunk>();
  readonly #watchers = new Set<() => void>();

  constructor(content: ContentID, k: number) {
    this.content = content;
    this.k = k;
  }

  get newest(): Copy | undefined {
    return this.copies.at(-1);
  }

  get runs(): readonly SignedManifest[] {
    return this.#runs;
  }

  /** False if it is not newer than the held one. */
  addCopy(copy: Copy): boolean {
    const newest = this.newest;
    if (newest && !newer(copy.signed.update, newest.signed.update)) return false;
    this.copies = [...this.copies, copy].slice(-COPIES);
    this.k = copy.signed.update.k;
    this.liveFrom ??= copy.signed.update.next;
    this.#changed();
    return true;
  }

  /** False if it is known already. */
  addRun(run: SignedManifest, arrived: number): boolean {
    const m = run.manifest;
    const of = this.#urls.get(m.url) ?? [];
    if (of.some((p) => p.first === m.first && p.offset === m.offset && p.told.manifest.url === m.url)) return false;
    this.#urls.set(m.url, insert(of, placeOf(run), (p) => p.offset));
    if (aliasOf(m.url) !== null && m.digests.length === 1) this.#aliases.set(run, false);
    this.#runs = insert(this.#runs, run, (r) => r.manifest.first);
    this.#stated += run.raw.length;
    if (!this.arrivals.has(m.first)) this.arrivals.set(m.first, arrived);
    const oldest = this.#runs[0];
    if (this.#runs.length > MAX_RUNS && oldest) this.forget(oldest);
    this.#changed();
    return true;
  }

  /** The run that chunk n belongs to. */
  runOf(n: number): SignedManifest | undefined {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle]?.manifest.first ?? Infinity) <= n) low = middle + 1;
      else high = middle;
    }
    for (let i = low - 1; i >= 0; i--) {
      const run = this.#runs[i];
      if (run && n < nextOf(run.manifest)) return run;
      if (!run || run.manifest.first + MAX_RUN <= n) return undefined;
    }
    return undefined;
  }

  /** The newest run that is said to hold this byte of this URL. */
  placeAt(url: string, at: number): Place | undefined {
    return this.#urls.get(url)?.findLast((p) => p.offset <= at && at < endOf(p));
  }

  /** All runs of a URL, ascending. */
  placesOf(url: string): readonly Place[] {
    return this.#urls.get(url) ?? [];
  }

  /** The part target duration in ms; 0 where the playlist has no parts. */
  get part(): number {
    return this.newest ? tipOf(this.newest.playlist).part : 0;
  }

  /** How long a partition may pause that goes on, in ms. */
  get pause(): number {
    const target = this.newest?.signed.update.target ?? 0;
    return this.part > 0 ? PAUSE_MS : Math.min(Math.max(PAUSE_MS, target + PAUSE_MORE_MS), MAX_PAUSE_MS);
  }

  /** Numbers of aliases that were told before a moment and are not held, newest first. */
  unnamed(before: number): number[] {
    const out: number[] = [];
    for (const [{ manifest: m }, read] of this.#aliases) {
      if (!read && !this.#chunks.has(m.first) && (m.first < (this.liveFrom ?? 0) || (this.arrivals.get(m.first) ?? 0) < before)) out.push(m.first);
    }
    return out.reverse();
  }

  /** False if it is held already. */
  put(chunk: VerifiedChunk): boolean {
    if (!VerifiedChunk.is(chunk) || this.#chunks.has(chunk.number)) return false;
    this.#chunks.set(chunk.number, chunk);
    this.bytes += chunk.data.length;
    this.#name(chunk);
    this.#changed();
    return true;
  }

  chunk(n: number): VerifiedChunk | undefined {
    return this.#chunks.get(n);
  }

  has(n: number): boolean {
    return this.#chunks.has(n);
  }

  hasAll(first: number, next: number): boolean {
    for (let n = first; n < next; n++) if (!this.#chunks.has(n)) return false;
    return true;
  }

  /** First number held and the number after the newest one held; null if nothing is. */
  range(): { first: number; next: number } | null {
    let first = Infinity;
    let next = 0;
    for (const n of this.#chunks.keys()) {
      first = Math.min(first, n);
      next = Math.max(next, n + 1);
    }
    return next === 0 ? null : { first, next };
  }

  /** The first number that no statement names yet. */
  stated(): number {
    return this.#runs.reduce((next, run) => Math.max(next, nextOf(run.manifest)), 0);
  }

  /** Where the last few segments begin. */
  recent(segments: number): number {
    let from = this.newest?.signed.update.next ?? 0;
    let ends = 0;
    const target = this.newest?.signed.update.target ?? 0;
    if (this.part > 0) segments *= Math.ceil(target / this.part) + 1; // its parts end too, and its alias
    for (const run of [...this.#runs].reverse()) {
      if (run.manifest.ends && ++ends > segments) break;
      from = Math.min(from, run.manifest.first);
    }
    return from;
  }

  /**
   * Stated numbers of these partitions from a number on that are not held, ascending.
   * Live ones that were stated after `before` are under way and do not count.
   */
  lacking(from: number, partitions: number, before: number): number[] {
    const out = new Set<number>();
    for (const { manifest: m } of this.#runs) {
      if (m.first >= (this.liveFrom ?? Infinity) && (this.arrivals.get(m.first) ?? 0) > before) continue;
      for (let n = Math.max(from, m.first); n < nextOf(m); n++) {
        if ((partitions & (1 << (n % this.k))) !== 0 && !this.#chunks.has(n)) out.add(n);
      }
    }
    return [...out];
  }

  /** Stated numbers that are not held, after one number and before another. */
  lackingAfter(after: number, before: number): number[] {
    const out: number[] = [];
    for (let n = after + 1; n < before; n++) if (!this.#chunks.has(n) && this.runOf(n)) out.push(n);
    return out;
  }

  oldest(): SignedManifest | undefined {
    return this.#runs[0];
  }

  /** All that is held in bytes: chunks, statements and playlists. */
  get size(): number {
    return this.copies.reduce((sum, c) => sum + c.playlist.length + c.signed.raw.length, this.bytes + this.#stated);
  }

  /** Drops a run and its chunks; returns how many bytes that freed. */
  forget(run: SignedManifest): number {
    const m = run.manifest;
    this.#runs = this.#runs.filter((r) => r !== run);
    this.#stated -= run.raw.length;
    this.#aliases.delete(run);
    for (const url of [m.url, aliasOf(m.url)]) {
      const left = this.#urls.get(url ?? "")?.filter((p) => p.told !== run) ?? [];
      if (left.length > 0) this.#urls.set(url ?? "", left);
      else this.#urls.delete(url ?? "");
    }
    this.arrivals.delete(m.first);
    let freed = 0;
    for (let n = m.first; n < nextOf(m); n++) {
      const chunk = this.#chunks.get(n);
      if (!chunk || this.runOf(n)) continue;
      this.#chunks.delete(n);
      freed += chunk.data.length;
    }
    this.bytes -= freed;
    return freed + run.raw.length;
  }

  /** Drops statements that expired and of which nothing is held. */
  tidy(now: number): void {
    for (const run of this.#runs) {
      const m = run.manifest;
      if (m.expires > now) continue;
      let any = false;
      for (let n = m.first; n < nextOf(m); n++) any ||= this.#chunks.has(n);
      if (!any) this.forget(run);
    }
  }

  /** Resolves at the next change, or after ms. */
  changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#watchers.add(done);
    });
  }

  /** Reads the chunk if it is an alias: its runs stand under another URL too. */
  #name(chunk: VerifiedChunk): void {
    const run = this.runOf(chunk.number);
    const url = run && aliasOf(run.manifest.url);
    if (!run || !url || this.#aliases.get(run) !== false) return;
    this.#aliases.set(run, true);
    try {
      let of = this.#urls.get(url) ?? [];
      for (const p of placesOf(parseAlias(chunk.data), run)) of = insert(of, p, (q) => q.offset);
      this.#urls.set(url, of);
    } catch {
      // what the origin signed and this version cannot read: HTTP has the segment
    }
  }

  #changed(): void {
    for (const wake of [...this.#watchers]) wake();
  }
}

function insert<T>(sorted: readonly T[], item: T, key: (t: T) => number): T[] {
  let i = sorted.length;
  while (i > 0 && key(sorted[i - 1] as T) > key(item)) i--;
  return [...sorted.slice(0, i), item, ...sorted.slice(i)];
}
