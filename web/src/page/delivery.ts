// One answer to a player: bytes of a URL, in order, as chunks arrive.
import { WAIT_MS, type ToWorker } from "../port.ts";
import { CHUNK_SIZE } from "../wire/constants.ts";
import { mustFetch } from "./deadline.ts";
import type { Held } from "./held.ts";
import { endOf, numberAt } from "./place.ts";
import { missingOf } from "./segment.ts";

const TICK_MS = 100;
const AT_ONCE_MS = 1000; // no more is asked of HTTP than it brings in this time: links may bring the rest
const URGENT_MS = 1500; // or, in low latency, two parts

export type DeliveryOptions = {
  id: number;
  held: Held;
  url: string;
  from: number;
  end: number | null; // exclusive; null: to the end of the segment
  target: number; // ms
  asked: number; // ms, monotonic
  post: (m: ToWorker, transfer?: Transferable[]) => void;
  ahead: () => number | null;
  http: { speed: { rate: number; delay: number }; fetch(numbers: number[]): Promise<void>; flying(n: number): boolean };
  grant: () => number; // bit/s, 0 for none
  answered: (bytes: number) => void;
};

export class Delivery {
  readonly #o: DeliveryOptions;
  #at: number;
  #credit = 0;
  #wake: (() => void) | null = null;
  #cancelled = false;
  #failed = false; // chunks over HTTP did not come
  #heard = performance.now(); // last sign of life to the worker

  constructor(o: DeliveryOptions) {
    this.#o = o;
    this.#at = o.from;
  }

  pull(): void {
    this.#credit++;
    this.#wake?.();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#wake?.();
  }

  /** What this player waits for and nobody has sent yet. */
  missing(): number[] {
    return missingOf(this.#o.held, this.#o.url, this.#at, this.#o.end).numbers;
  }

  /** True if the player has next to nothing left. */
  get urgent(): boolean {
    const { part } = this.#o.held;
    return (this.#o.ahead() ?? Infinity) < (part > 0 ? Math.min(2 * part, URGENT_MS) : URGENT_MS);
  }

  get held(): Held {
    return this.#o.held;
  }

  get asked(): number {
    return this.#o.asked;
  }

  /** Ends with "end", or with "fetch" where plain HTTP must give the rest. */
  async run(): Promise<void> {
    const { id, post } = this.#o;
    for (;;) {
      if (this.#cancelled) return;
      if (this.#done()) return post({ type: "end", id });
      if (this.#failed && this.missing().length > 0) return post({ type: "fetch", id });
      const piece = this.#piece();
      const early = piece ? this.#early(piece.length) : 0;
      if (piece && this.#credit > 0 && early <= 0) this.#give(piece);
      else if (piece) await this.#pause(early > 0 ? Math.min(early, TICK_MS) : TICK_MS);
      else if (this.#hopeless()) return post({ type: "fetch", id });
      else await this.#o.held.changed(TICK_MS);
      this.#sign();
    }
  }

  #done(): boolean {
    if (this.#o.end !== null) return this.#at >= this.#o.end;
    return this.#o.held.placesOf(this.#o.url).some((p) => p.ends && endOf(p) === this.#at);
  }

  /** The next bytes, if their chunk is here. */
  #piece(): Uint8Array | null {
    const place = this.#o.held.placeAt(this.#o.url, this.#at);
    if (!place) return null;
    const n = numberAt(place, this.#at);
    const data = this.#o.held.chunk(n)?.data;
    if (!data) return null;
    const begins = place.offset + (n - place.first) * CHUNK_SIZE;
    const end = this.#o.end === null ? data.length : Math.min(data.length, this.#o.end - begins);
    return data.subarray(this.#at - begins, end);
  }

  #give(piece: Uint8Array): void {
    const bytes = piece.slice().buffer;
    this.#credit--;
    this.#at += piece.length;
    this.#heard = performance.now();
    this.#o.answered(piece.length);
    this.#o.post({ type: "data", id: this.#o.id, bytes }, [bytes]);
  }

  /**
   * For how many ms these bytes must wait still: bodies come at the rate that the
   * plan grants, to the last byte, for players choose a rendition by what they
   * measure, and a short one would show them nothing but its beginning.
   */
  #early(bytes: number): number {
    const rate = this.#o.grant();
    if (rate <= 0) return 0;
    return this.#o.asked + ((this.#at - this.#o.from + bytes) * 8000) / rate - performance.now();
  }

  /** Starts HTTP at the last moment; true if only plain HTTP can still help. */
  #hopeless(): boolean {
    const { held, url, end, http, target, asked } = this.#o;
    const { numbers, bytes, whole } = missingOf(held, url, this.#at, end);
    const flying = numbers.filter((n) => http.flying(n));
    const due = numbers.filter((n) => !http.flying(n));
    const missing = Math.max(bytes, whole ? 0 : CHUNK_SIZE);
    const must = mustFetch({ now: performance.now(), asked, ahead: this.#o.ahead(), target, missing, http: http.speed });
    if (!must) return false;
    if (due.length > 0) {
      if (flying.length > 0) return false;
      const some = due.slice(0, Math.max(1, Math.floor((http.speed.rate * AT_ONCE_MS) / CHUNK_SIZE)));
      const judge = (): void => void (this.#failed ||= some.every((n) => !held.has(n))); // what came of an answer that broke off is of use
      http.fetch(some).then(judge, judge);
      return false;
    }
    return flying.length === 0 && !whole; // statements are missing, not chunks
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #sign(): void {
    const now = performance.now();
    if (now - this.#heard < WAIT_MS) return;
    this.#heard = now;
    this.#o.post({ type: "wait", id: this.#o.id });
  }
}
