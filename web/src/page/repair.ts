// Late chunks are asked of one neighbour after the other.
import { MAX_ASK } from "../wire/constants.ts";
import type { ContentID } from "../wire/frame.ts";
import type { Source } from "../wire/control.ts";
import type { Held } from "./held.ts";
import type { Neighbour } from "./neighbour.ts";

const WITHIN_MS = 4000; // how long an answer is useful if nobody waits for it
const SOON_MS = 150; // for an answer, or two round trips,
const WAIT_MS = 600; // or four, if who was asked gives a sign of life: who does not have it says so, and a full line takes its time
const ROUND_MS = 1000; // before all are asked once more
const EACH_MS = 50; // that a chunk may take on a slow line behind those it was asked for with

// When it was asked last, of whom and behind how many, of whom in this round, not again before, and whether one of them brought it.
type Tried = { at: number; last: string | null; before: number; by: Set<string>; again: number; answered: boolean };

export class Repair {
  readonly #tried = new Map<string, Tried>();
  readonly #repaired = new Map<string, Tried>(); // what came after it was asked for
  readonly #brought = new Map<string, number>(); // neighbour -> ms, when it last brought what it was asked for

  /** Asks for numbers (most urgent first) where that is due. */
  ask(held: Held, numbers: readonly number[], sources: readonly Source[], open: readonly Neighbour[], now: number): void {
    const asks = new Map<Neighbour, number[]>();
    for (const number of numbers) {
      const due = this.#due(held, number, sources, open, now);
      if (!due) continue;
      const of = asks.get(due.next) ?? [];
      due.tried.before = of.length;
      if (of.length < MAX_ASK) of.push(number);
      asks.set(due.next, of);
    }
    for (const [n, due] of asks) {
      n.count({ repairs: due.length });
      n.link?.send({ type: "ask", content: held.content, within: WITHIN_MS, numbers: due });
    }
  }

  /** A neighbour said that it does not have these: the next one may be asked now. */
  missing(content: ContentID, numbers: readonly number[]): void {
    for (const number of numbers) {
      const tried = this.#tried.get(`${content}/${number}`);
      if (tried) Object.assign(tried, { again: 0, last: null });
    }
  }

  /** True if this neighbour was asked for a chunk, which may have come since. */
  isAsked(content: ContentID, number: number, of: string): boolean {
    const key = `${content}/${number}`;
    return (this.#tried.get(key) ?? this.#repaired.get(key))?.by.has(of) === true;
  }

  /** Who beside `from`, from whom it has just come, may still send a chunk that somebody was asked for: the others who were, and its senders. */
  others(content: ContentID, number: number, from: string, senders: () => readonly string[]): string[] {
    const tried = this.#tried.get(`${content}/${number}`);
    return tried ? [...new Set([...tried.by, ...senders()])].filter((id) => id !== from) : [];
  }

  /** True if the chunk was asked of someone else than who sends it now. */
  wasAsked(content: ContentID, number: number, from: string, now: number): boolean {
    const key = `${content}/${number}`;
    const tried = this.#tried.get(key);
    this.#tried.delete(key);
    if (tried) this.#repaired.set(key, tried);
    if (tried?.by.has(from)) {
      tried.answered = true;
      this.#brought.set(from, now);
    }
    return tried !== undefined && !tried.by.has(from);
  }

  /** True of a chunk that somebody else was asked for before it came from this one, a second time. */
  wasRepaired(content: ContentID, number: number, from: string): boolean {
    return this.#repaired.get(`${content}/${number}`)?.by.has(from) === false;
  }

  /** True of a chunk that came from who was asked for it. */
  wasAnswer(content: ContentID, number: number): boolean {
    return this.#repaired.get(`${content}/${number}`)?.answered === true;
  }

  /** Forgets what is older than a minute. */
  tidy(now: number): void {
    for (const set of [this.#tried, this.#repaired]) {
      for (const [key, tried] of set) if (now - tried.at > 60_000) set.delete(key);
    }
    for (const [from, at] of this.#brought) if (now - at > 60_000) this.#brought.delete(from);
  }

  /**
   * True while whoever was asked last brings what it was asked for: a player that
   * goes back waits for many chunks, and the last of them is not late because the
   * first are on the line.
   */
  #bringing(tried: Tried, now: number): boolean {
    const brought = this.#brought.get(tried.last ?? "") ?? -Infinity;
    return now - brought < SOON_MS && now - tried.at < Math.min(tried.before * EACH_MS, ROUND_MS);
  }

  /** True while whoever was asked last has shown that it is there, and may still answer. */
  #answers(tried: Tried, open: readonly Neighbour[], now: number): boolean {
    const last = open.find((n) => n.id === tried.last);
    return last !== undefined && (last.link?.heard ?? 0) > tried.at && now - tried.at < Math.max(4 * last.rtt, WAIT_MS);
  }

  #due(held: Held, number: number, sources: readonly Source[], open: readonly Neighbour[], now: number): { next: Neighbour; tried: Tried } | null {
    const key = `${held.content}/${number}`;
    const tried = this.#tried.get(key) ?? { at: now, last: null, before: 0, by: new Set<string>(), again: 0, answered: false };
    if (now < tried.again || this.#bringing(tried, now)) return null;
    if (held.part === 0 && this.#answers(tried, open, now)) return null;
    const choices = choose(held, number, sources, open);
    let next = choices.find((n) => !tried.by.has(n.id));
    if (!next && choices.length > 0 && now >= Math.max(tried.again, tried.at) + ROUND_MS) {
      tried.by.clear();
      next = choices[0];
    }
    if (!next) return null;
    tried.by.add(next.id);
    tried.last = next.id;
    tried.at = now;
    tried.again = now + Math.max(2 * next.rtt, SOON_MS);
    this.#tried.set(key, tried);
    return { next, tried };
  }
}

/**
 * Standby parents first, then whoever says it has the chunk, then the parents.
 * The host's own line is spared while anyone else may have it.
 */
export function choose(
  held: Pick<Held, "content" | "k">,
  number: number,
  sources: readonly Source[],
  open: readonly Neighbour[],
): Neighbour[] {
  const bit = 1 << (number % held.k);
  const of = (standby: boolean): Set<string> =>
    new Set(
      sources
        .filter((s) => s.content === held.content && s.standby === standby && (s.partitions & bit) !== 0)
        .map((s) => s.from),
    );
  const standby = of(true);
  const parents = of(false);
  const says = (n: Neighbour): boolean => {
    const r = n.ranges.get(held.content);
    return r !== undefined && (r.partitions & bit) !== 0 && r.first <= number && number < r.next;
  };
  const host = (n: Neighbour): boolean => n.introduction?.role === "origin";
  const known = open.filter((n) => says(n) && !host(n));
  const groups = [
    open.filter((n) => standby.has(n.id) && !host(n)),
    known,
    open.filter((n) => standby.has(n.id)),
    open.filter((n) => parents.has(n.id) || says(n)),
  ];
  return [...new Set(groups.flat())];
}
