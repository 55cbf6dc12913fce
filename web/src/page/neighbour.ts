import type { Introduction, LinkReport, Range } from "../wire/control.ts";
import type { Held } from "./held.ts";
import type { Blamed } from "./intake.ts";
import type { Link } from "./link.ts";
import { SendQueue } from "./queue.ts";

const MAX_STRETCHES = 512; // one for each partition of a content
const ANSWER_MS = 500; // how long a sign of life may take, at least

/** A peer that the planner introduced, whatever PeerConnection leads to it now. */
export class Neighbour {
  introduction: Introduction;
  link: Link | null = null; // open
  opening: Link | null = null; // takes over once it is open
  tries = 0;
  retryAt = 0; // ms, monotonic
  leavingAt: number | null = null; // ms, when it goes unless it is introduced again
  rtt = 100; // ms
  readonly queue = new SendQueue();
  readonly ranges = new Map<string, Range>();
  readonly shown = new Map<string, Shown>(); // what it was told of each content
  readonly asked = new Set<string>(); // contents whose past was asked for
  readonly has = new Set<string>(); // content/number of chunks that came to it from elsewhere, lately
  readonly #stretches = new Map<string, Stretch>(); // by content/partition
  sent = 0; // payload bytes, in all
  received = 0; // payload bytes verified, in all
  #counts = fresh();

  constructor(introduction: Introduction) {
    this.introduction = introduction;
  }

  get id(): string {
    return this.introduction.peer;
  }

  get open(): boolean {
    return this.link?.open === true;
  }

  /** False without a link, or while a sign of life that was asked for does not come. */
  alive(now: number): boolean {
    const link = this.link;
    return link?.open === true && !(link.pinged > link.heard && now - link.pinged > Math.max(ANSWER_MS, 3 * this.rtt));
  }

  /**
   * Notes that chunk n of a content came. After a halt, a longer pause, a new stretch begins, though
   * not with an answer: who helps out with one does not bring those that follow.
   */
  bring(held: Pick<Held, "content" | "k" | "pause">, n: number, now: number, unasked: boolean): void {
    const key = `${held.content}/${n % held.k}`;
    const before = this.#stretches.get(key);
    const goesOn = before !== undefined && now - before.last < held.pause;
    if (!goesOn && !unasked) return;
    const from = goesOn ? before.from : n;
    this.#stretches.delete(key);
    this.#stretches.set(key, { from, last: now });
    if (this.#stretches.size > MAX_STRETCHES) this.#stretches.delete(this.#stretches.keys().next().value ?? "");
  }

  /** Since which number chunks of a partition have kept coming; null while they do not. */
  brings(held: Pick<Held, "content" | "k" | "pause">, partition: number, now: number): number | null {
    const s = this.#stretches.get(`${held.content}/${partition}`);
    return s !== undefined && now - s.last < held.pause ? s.from : null;
  }

  /** True if its last range covers chunk n. */
  says(held: Pick<Held, "content" | "k">, n: number): boolean {
    const r = this.ranges.get(held.content);
    return r !== undefined && (r.partitions & (1 << (n % held.k))) !== 0 && r.first <= n && n < r.next;
  }

  count(what: Partial<Counts>): void {
    const c = this.#counts;
    this.sent += what.sent ?? 0;
    this.received += what.received ?? 0;
    c.sent += what.sent ?? 0;
    c.received += what.received ?? 0;
    c.late += what.late ?? 0;
    c.repairs += what.repairs ?? 0;
    c.twice += what.twice ?? 0;
    c.failed ||= what.failed ?? false;
    c.blame = what.blame ?? c.blame;
  }

  /** How long the oldest of what it was assigned has waited, in ms. */
  behind(now: number): number {
    return Math.max(this.queue.behind(now), this.link?.behind(now) ?? 0);
  }

  /** True if it was sent anything since the last report, or waits for something. */
  sends(now: number): boolean {
    return this.#counts.sent > 0 || this.behind(now) > 0;
  }

  /** The figures since the last report. */
  report(now: number): LinkReport {
    const c = this.#counts;
    this.#counts = fresh();
    return {
      peer: this.id,
      sent: c.sent,
      received: c.received,
      late: c.late,
      rtt: this.open ? Math.round(this.rtt * 1e6) : 0,
      behind: Math.round(this.behind(now) * 1e6),
      bad: c.blame !== null,
      failed: c.failed,
      since: this.link ? Math.round((now - this.link.born) * 1e6) : 0,
      blame: c.blame,
      repairs: c.repairs,
      twice: c.twice,
      busy: Math.round(this.queue.busy(now) * 1e6),
    };
  }
}

/** A run of chunks of one partition that came without a halt, and at first without being asked for: the first one, and when the latest came. */
type Stretch = { from: number; last: number };

/** What a neighbour was told of a content. */
export type Shown = { sequence: number | null; runs: Set<number> };

type Counts = {
  sent: number;
  received: number;
  late: number;
  repairs: number;
  twice: number; // bytes of chunks that were here already
  failed: boolean;
  blame: Blamed | null;
};

function fresh(): Counts {
  return { sent: 0, received: 0, late: 0, repairs: 0, twice: 0, failed: false, blame: null };
}
