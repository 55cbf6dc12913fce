// What a data channel may hold, and how long the oldest of it has waited there.
import { CHUNK_SIZE } from "../wire/constants.ts";

// So much of a link's rate, within the bounds (design section 5): enough for a long
// round trip, little enough that the queue still decides what goes next, and that
// a weak line is not filled for seconds.
const HOLD_MS = 150;
const MIN_HOLD = 32 << 10;
const MAX_HOLD = 256 << 10;

export class Hold {
  #most = MIN_HOLD;
  #handed = 0; // bytes given to the channel
  #waiting: { end: number; since: number }[] = []; // of these, what it may hold still

  /** Sets what this page is to send over the link, bit/s. */
  set rate(rate: number) {
    this.#most = Math.min(Math.max((rate / 8) * (HOLD_MS / 1000), MIN_HOLD), MAX_HOLD);
  }

  /** When the channel holds no more than this, there is room for a chunk. */
  get low(): number {
    return this.#most - CHUNK_SIZE;
  }

  /** Whether so many bytes more may go to a channel that holds this. */
  room(buffered: number, bytes: number): boolean {
    return buffered + bytes <= this.#most;
  }

  /** Notes bytes that went to the channel, which now holds so many. */
  hand(bytes: number, buffered: number, now: number): void {
    this.#handed += bytes;
    this.#waiting.push({ end: this.#handed, since: now });
    this.#forget(buffered);
  }

  /** How long the oldest that the channel holds has waited, in ms. */
  behind(buffered: number, now: number): number {
    this.#forget(buffered);
    const oldest = this.#waiting[0];
    return oldest ? now - oldest.since : 0;
  }

  #forget(buffered: number): void {
    const left = this.#handed - buffered;
    while (this.#waiting[0] && this.#waiting[0].end <= left) this.#waiting.shift();
  }
}
