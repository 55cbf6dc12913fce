// What one neighbour is owed, most urgent first.

export type Owed = {
  content: string;
  number: number;
  priority: number; // higher goes first
  deadline: number; // ms, monotonic; useless after it
  since: number; // ms, when it was queued
};

export const PAST = 1; // the priority of the recent past: below any that a plan gives to what is watched
export const ASKED = 255; // of what was asked for: above any

const MAX_OWED = 512;

export class SendQueue {
  #owed: Owed[] = []; // most urgent first
  readonly #keys = new Set<string>();
  #busy = 0; // ms that something waited, since the last report
  #from: number | null = null; // ms, since when something does

  get size(): number {
    return this.#owed.length;
  }

  /** How long something waited to be sent since this was last asked, in ms. */
  busy(now: number): number {
    this.#tick(now);
    const busy = this.#busy;
    this.#busy = 0;
    return busy;
  }

  #tick(now: number): void {
    if (this.#from !== null) this.#busy += now - this.#from;
    this.#from = this.#owed.length > 0 ? now : null;
  }

  /** False if it is owed already, or if all that is owed is more urgent and there is no room. */
  push(o: Owed, now: number): boolean {
    if (this.#keys.has(key(o))) return false;
    const pushed = this.#push(o);
    this.#tick(now);
    return pushed;
  }

  #push(o: Owed): boolean {
    let i = this.#owed.length;
    while (i > 0 && before(o, this.#owed[i - 1] as Owed)) i--;
    this.#owed.splice(i, 0, o);
    this.#keys.add(key(o));
    if (this.#owed.length <= MAX_OWED) return true;
    const last = this.#owed.pop();
    if (last) this.#keys.delete(key(last));
    return last !== o;
  }

  /** Drops what is not to be sent any more. */
  drop(which: (o: Owed) => boolean): void {
    for (const o of this.#owed) if (which(o)) this.#keys.delete(key(o));
    this.#owed = this.#owed.filter((o) => !which(o));
  }

  /** The next to send; what is too late by now is dropped on the way. */
  take(now: number): Owed | undefined {
    for (;;) {
      const next = this.#owed.shift();
      this.#tick(now);
      if (!next) return undefined;
      this.#keys.delete(key(next));
      if (next.deadline > now) return next;
    }
  }

  /** How long the oldest of what was assigned has waited, in ms. */
  behind(now: number): number {
    return this.#owed.reduce((most, o) => (assigned(o) ? Math.max(most, now - o.since) : most), 0);
  }
}

/** False for the recent past, and for what was asked for. */
const assigned = (o: Owed): boolean => o.priority > PAST && o.priority < ASKED;

function key(o: Owed): string {
  return `${o.content}/${o.number}`;
}

function before(a: Owed, b: Owed): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : a.deadline < b.deadline;
}
