// The neighbours that the plan names, and the links to them.
import type { Outgoing, PeerPlan, Signal } from "../wire/control.ts";
import { bye, type ChunkFrame, type Frame } from "../wire/frame.ts";
import type { Identity } from "./identity.ts";
import { Link, type LinkEvents } from "./link.ts";
import { Neighbour } from "./neighbour.ts";

const OPEN_MS = 2000; // an open that takes longer is thrown away and made again; each try has twice as long,
const LONGEST_MS = 8000; // up to this: behind full lines a handshake's six round trips take seconds
const TRIES = 5;
const REST_MS = 30_000; // between two rounds of tries
const LEAVE_MS = 10_000; // a neighbour that the plan names no more delivers for as long
const RENEW_MS = 55 * 60_000; // a PeerConnection is replaced before it is an hour old
const RENEW_RECORDS = 2 ** 24 * 0.9; // and before its DTLS session carried 2^24 records
const QUIET_MS = 1200; // a link that brought nothing for as long is asked for a sign of life
const DEAD_MS = 4000; // and closed without one: ICE takes up to half a minute to notice
const MAX_LINKS = 24;

export type SwarmOptions = {
  identity: Identity;
  site: Uint8Array;
  certificate: RTCCertificate;
  fingerprint: Uint8Array;
  stun: string[];
  signal: (s: Outgoing & { type: "signal" }) => void;
};

export type SwarmEvents = {
  open(n: Neighbour): void;
  frame(n: Neighbour, f: Frame): void | Promise<void>;
  chunk(n: Neighbour, f: ChunkFrame): void;
  room(n: Neighbour): void;
  quiet(n: Neighbour): void; // ask it for a sign of life
  closed(n: Neighbour): void;
};

export class Swarm {
  readonly #o: SwarmOptions;
  readonly #events: SwarmEvents;
  readonly #neighbours = new Map<string, Neighbour>();
  readonly #banned = new Set<string>();
  #attempt = Math.floor(Date.now() / 1000) % 2 ** 31; // a reloaded page goes on above the one before

  constructor(o: SwarmOptions, events: SwarmEvents) {
    this.#o = o;
    this.#events = events;
  }

  get(id: string): Neighbour | undefined {
    return this.#neighbours.get(id);
  }

  all(): Neighbour[] {
    return [...this.#neighbours.values()];
  }

  open(): Neighbour[] {
    return this.all().filter((n) => n.open);
  }

  /** Neighbours that are named no more go after a while: make before break. */
  setPlan(plan: PeerPlan, now: number): void {
    const named = new Set<string>();
    for (const i of plan.introductions.slice(0, MAX_LINKS)) {
      if (this.#banned.has(i.peer)) continue;
      named.add(i.peer);
      const known = this.#neighbours.get(i.peer);
      if (known) {
        known.introduction = i;
        known.leavingAt = null;
      } else this.#neighbours.set(i.peer, new Neighbour(i));
    }
    for (const n of this.all()) if (!named.has(n.id)) n.leavingAt ??= now + LEAVE_MS;
    this.tick(now);
  }

  signal(s: Signal): void {
    const n = this.#neighbours.get(s.peer);
    if (!n || this.#banned.has(s.peer)) return;
    if (s.kind === "offer" && !n.introduction.offer && n.opening?.attempt !== s.attempt) {
      n.opening?.close();
      n.opening = this.#link(n, s.attempt);
    }
    const link = [n.opening, n.link].find((l) => l?.attempt === s.attempt);
    link?.signal(s);
  }

  /** Opens, gives up, renews and lets go. */
  tick(now: number): void {
    for (const n of this.all()) {
      if (n.leavingAt !== null && now >= n.leavingAt) {
        this.#drop(n, bye.done);
        continue;
      }
      this.#expire(n, now);
      this.#probe(n, now);
      const old = n.link !== null && (now - n.link.born > RENEW_MS || n.link.records > RENEW_RECORDS);
      if (n.introduction.offer && !n.opening && (!n.open || old) && now >= n.retryAt && n.leavingAt === null) {
        n.opening = this.#link(n, ++this.#attempt);
        n.opening.offer();
      }
    }
  }

  /** Closes for good: it sent a bad chunk, or the planner says so. */
  ban(id: string, code: number): void {
    this.#banned.add(id);
    const n = this.#neighbours.get(id);
    if (n) this.#drop(n, code);
  }

  close(): void {
    for (const n of this.all()) this.#drop(n, bye.done);
  }

  #drop(n: Neighbour, code: number): void {
    this.#neighbours.delete(n.id);
    n.opening?.close(code);
    n.link?.close(code);
  }

  #expire(n: Neighbour, now: number): void {
    const patience = n.introduction.offer ? Math.min(OPEN_MS * 2 ** (n.tries % TRIES), LONGEST_MS) : LONGEST_MS;
    if (!n.opening || now - n.opening.born < patience) return;
    const late = n.opening;
    n.opening = null;
    late.close();
    n.tries++;
    n.count({ failed: true });
    n.retryAt = now + (n.tries % TRIES === 0 ? REST_MS : 250 * 2 ** (n.tries % TRIES));
  }

  /** Finds a neighbour that went without a word. */
  #probe(n: Neighbour, now: number): void {
    const link = n.link;
    if (!link?.open || now - link.heard < QUIET_MS) return;
    if (link.pinged <= link.heard) {
      link.pinged = now;
      this.#events.quiet(n);
    } else if (now - link.pinged > DEAD_MS) link.close();
  }

  #link(n: Neighbour, attempt: number): Link {
    const events: LinkEvents = {
      open: (link) => this.#onOpen(n, link),
      frame: (_, f) => this.#events.frame(n, f),
      chunk: (_, f) => this.#events.chunk(n, f),
      room: () => this.#events.room(n),
      closed: (link) => this.#onClosed(n, link),
    };
    return new Link({ ...this.#o, introduction: n.introduction, attempt }, events);
  }

  #onOpen(n: Neighbour, link: Link): void {
    const old = n.link;
    n.link = link;
    n.opening = null;
    n.tries = 0;
    if (!old?.open) n.shown.clear();
    n.asked.clear();
    if (old) setTimeout(() => old.close(), 1000); // the new one delivers first
    this.#events.open(n);
  }

  #onClosed(n: Neighbour, link: Link): void {
    if (n.opening === link) {
      n.opening = null;
      n.retryAt = Math.max(n.retryAt, performance.now() + 250 * 2 ** (++n.tries % TRIES));
    }
    if (n.link !== link) return;
    n.link = null;
    n.shown.clear();
    n.ranges.clear();
    this.#events.closed(n);
  }
}
