// The data plane of a membership: what comes in is verified, held and passed on.
import type { Blamed } from "./intake.ts";
import type { Outgoing, PeerPlan, Range, Source } from "../wire/control.ts";
import { bye, type ChunkFrame, type Frame, type UpdateFrame } from "../wire/frame.ts";
import { MAX_ASK } from "../wire/constants.ts";
import type { OriginClock } from "./clock.ts";
import type { Delivery } from "./delivery.ts";
import { Fetcher, HTTP } from "./fetcher.ts";
import { Giving } from "./giving.ts";
import type { Held } from "./held.ts";
import { Intake } from "./intake.ts";
import { lateNumbers } from "./late.ts";
import { Memory } from "./memory.ts";
import type { Neighbour } from "./neighbour.ts";
import { type Leg, Overlap, parents, type Way } from "./overlap.ts";
import { Pull } from "./pull.ts";
import { Repair } from "./repair.ts";
import { Speed } from "./speed.ts";
import type { Stats } from "./stats.ts";
import { Swarm, type SwarmOptions } from "./swarm.ts";

const PAST_MS = 5000; // how long the recent past is useful
const UNDER_WAY_MS = 1000; // what was stated since then may still come from the parent before
const UNASKED_MS = 100; // how long a player waits before what may be under way is asked for
const AFTER = 64; // chunks of the past that are asked for with those a player waits for
const RECENT = 4; // segments of the past that a player joining a stream asks for

export type CarrierOptions = Omit<SwarmOptions, "signal"> & {
  prefix: string;
  siteKey: CryptoKey;
  clock: OriginClock;
  stats: Stats;
  send: (m: Outgoing) => void; // to the planner; lost while there is none
  rate: (content: string) => number; // of payload, bit/s
  httpRate: number; // bit/s, until it was measured
};

/**
 * What a player waits for that nobody sends by himself. The past was asked for by
 * the player's own wish, a seek, and so what follows it will be. The rest is
 * under way until it is late, or the player has next to nothing left.
 */
function waitedFor(held: Held, d: Delivery, live: number, patient: boolean): number[] {
  const missing = d.missing();
  const past = held.recent(RECENT);
  const out = missing.filter((n) => n < past || (patient && (n < live || d.urgent)));
  const last = out.at(-1);
  if (last === undefined || last >= past) return out;
  return out.concat(held.lackingAfter(last, Math.min(last + AFTER, past)));
}

export class Carrier {
  readonly memory = new Memory();
  readonly swarm: Swarm;
  readonly fetcher: Fetcher;
  readonly giving: Giving;
  readonly #o: CarrierOptions;
  readonly #intake: Intake;
  readonly #repair = new Repair();
  readonly #pull = new Pull();
  readonly #overlap = new Overlap(); // of what comes here
  #plan: PeerPlan | null = null;
  #pings = 0;
  readonly #pinged = new Map<number, number>(); // id -> ms

  constructor(o: CarrierOptions) {
    this.#o = o;
    this.swarm = new Swarm(
      { ...o, signal: o.send },
      {
        open: (n) => this.#opened(n),
        frame: (n, f) => this.#frame(n, f),
        chunk: (n, f) => this.#chunk(n, f),
        room: (n) => this.giving.pump(n, performance.now()),
        quiet: (n) => this.#sendPing(n),
        closed: (n) => this.#intake.forget(n.id),
      },
    );
    this.giving = new Giving(this.memory, this.swarm, (bytes) => (o.stats.sent += bytes));
    this.#intake = new Intake(o.siteKey, this.memory, {
      run: (held, run) => this.giving.run(held, run),
      copy: (held, copy) => this.giving.copy(held, copy),
      chunk: (held, chunk, from) => this.#verified(held, chunk, from),
      duplicate: (from, frame) => this.#duplicate(from, frame),
      bad: (from, blame) => this.#bad(from, blame),
    });
    this.fetcher = new Fetcher(o.prefix, this.#intake, new Speed(o.httpRate));
  }

  get plan(): PeerPlan | null {
    return this.#plan;
  }

  setPlan(plan: PeerPlan, now: number): void {
    const ways = (p: PeerPlan | null): Way[] => (p?.sources ?? []).filter((s) => !s.standby).map((s) => ({ ...s, peer: s.from }));
    this.#overlap.change(ways(this.#plan), ways(plan), (peer) => this.swarm.get(peer)?.open === true, now);
    this.#plan = plan;
    this.swarm.setPlan(plan, now);
    this.giving.setAssignments(plan.assignments, now);
    for (const n of this.swarm.open()) for (const held of this.memory.all()) this.#past(n, held);
  }

  /** Every 100 ms: opens, repairs, trims. */
  tick(now: number, wanted: readonly string[], deliveries: readonly Delivery[]): void {
    this.swarm.tick(now);
    const open = this.swarm.open();
    const sources = this.#plan?.sources ?? [];
    for (const held of this.memory.all()) {
      const live = wanted.includes(held.content) && held.liveFrom !== null;
      const from = live ? Math.max(held.liveFrom ?? 0, held.recent(RECENT)) : Infinity;
      const waited = deliveries
        .filter((d) => d.held === held)
        .flatMap((d) => waitedFor(held, d, from, now - d.asked > UNASKED_MS));
      const late = lateNumbers(held, from, this.#o.rate(held.content), now, (n) => this.#goesOn(held, n, sources, now), (n) => this.#repair.wasAnswer(held.content, n));
      const names = live ? held.unnamed(now - UNDER_WAY_MS).slice(0, MAX_ASK) : [];
      const numbers = [...new Set([...waited, ...late, ...names])].filter((n) => !this.fetcher.flying(held.content, n));
      if (live) this.#pullOrphans(held, now);
      if (numbers.length > 0) this.#repair.ask(held, numbers, sources, open, now);
    }
    for (const n of open) this.giving.pump(n, now);
    this.#tellEnough(sources, now);
    this.#repair.tidy(now);
    this.memory.trim(this.#o.clock.now(now));
  }

  /** True while somebody brings n's partition, and has since before n: one who began later does not come back to it. */
  #goesOn(held: Held, n: number, sources: readonly Source[], now: number): boolean {
    const from = (peer: string): number => this.swarm.get(peer)?.brings(held, n % held.k, now) ?? Infinity;
    return (
      parents(sources, held.content, n % held.k).some((peer) => from(peer) < n) ||
      this.#overlap.legs(now).some((leg) => leg.content === held.content && leg.partition === n % held.k && from(leg.peer) < n)
    );
  }

  /** Tells senders of the plan before what comes from their successors, or is not wanted any more. */
  #tellEnough(sources: readonly Source[], now: number): void {
    const brings = (peer: string, { content, partition }: Leg): number | null => {
      const held = this.memory.get(content);
      return (held && this.swarm.get(peer)?.brings(held, partition, now)) ?? null;
    };
    for (const { leg, from } of this.#overlap.succeeded(sources, brings, now)) {
      this.swarm.get(leg.peer)?.link?.send({ type: "enough", content: leg.content, partition: leg.partition, from });
    }
  }

  #pullOrphans(held: Held, now: number): void {
    const alive = (peer: string): boolean => this.swarm.get(peer)?.alive(now) === true;
    const still = this.#overlap
      .legs(now)
      .filter((leg) => leg.content === held.content && this.swarm.get(leg.peer)?.brings(held, leg.partition, now) != null)
      .reduce((all, leg) => all | (1 << leg.partition), 0);
    for (const w of this.#pull.due(held.content, this.#plan?.sources ?? [], alive, still, now)) {
      this.swarm.get(w.from)?.link?.send({ type: "past", content: held.content, partitions: w.partitions, from: held.stated() });
    }
  }

  ranges(): Range[] {
    return this.memory.all().flatMap((held) => {
      const range = held.range();
      return range ? [{ content: held.content, partitions: 2 ** held.k - 1, ...range }] : [];
    });
  }

  /** Every 10 s: ranges and a ping to each neighbour. */
  announce(): void {
    for (const n of this.swarm.open()) {
      for (const range of this.ranges()) n.link?.send({ type: "range", ...range });
      this.#sendPing(n);
    }
    for (const id of this.#pinged.keys()) if (this.#pinged.size > 64) this.#pinged.delete(id);
  }

  #sendPing(n: Neighbour): void {
    const id = ++this.#pings % 2 ** 32;
    this.#pinged.set(id, performance.now());
    n.link?.send({ type: "ping", answer: false, id });
  }

  #opened(n: Neighbour): void {
    for (const range of this.ranges()) n.link?.send({ type: "range", ...range });
    this.#sendPing(n);
    this.giving.opened(n);
    for (const held of this.memory.all()) this.#past(n, held);
  }

  async #frame(n: Neighbour, f: Frame): Promise<void> {
    const now = performance.now();
    if (f.type === "update") await this.#update(n, f, now);
    else if (f.type === "range") {
      if (n.ranges.size < 64 || n.ranges.has(f.content)) n.ranges.set(f.content, f);
    } else if (f.type === "ask") this.giving.ask(n, f, now);
    else if (f.type === "past") this.giving.past(n, f, now);
    else if (f.type === "enough") this.giving.enough(n, f);
    else if (f.type === "have") this.giving.have(n, f);
    else if (f.type === "missing") this.#repair.missing(f.content, f.numbers);
    else if (f.type === "ping") this.#ping(n, f, now);
  }

  #ping(n: Neighbour, f: Frame & { type: "ping" }, now: number): void {
    if (!f.answer) return n.link?.send({ type: "ping", answer: true, id: f.id });
    const sent = this.#pinged.get(f.id);
    if (sent !== undefined) n.rtt = 0.5 * n.rtt + 0.5 * (now - sent);
    this.#pinged.delete(f.id);
  }

  async #update(n: Neighbour, f: UpdateFrame, now: number): Promise<void> {
    const held = await this.#intake.update(f, now);
    if (held) this.#past(n, held);
  }

  /** Asks a parent, but for the origin, once for each link and content, for the recent past of its partitions. */
  #past(n: Neighbour, held: Held): void {
    if (n.introduction.role === "origin") return; // what the player needs of it, repair and HTTP get
    const sources = (this.#plan?.sources ?? []).filter((s) => s.content === held.content && s.from === n.id && !s.standby);
    const partitions = sources.reduce((sum, s) => sum | s.partitions, 0);
    if (partitions === 0 || held.runs.length === 0 || n.asked.has(held.content)) return;
    n.asked.add(held.content);
    const from = held.recent(RECENT);
    const lacking = held.lacking(from, partitions, performance.now() - UNDER_WAY_MS);
    if (held.bytes === 0) n.link?.send({ type: "past", content: held.content, partitions, from });
    else if (lacking.length > 0) {
      const numbers = lacking.slice(-MAX_ASK); // the newest: what is older, the player asks for if it needs it
      n.link?.send({ type: "ask", content: held.content, within: PAST_MS, numbers });
    }
  }

  #chunk(n: Neighbour, f: ChunkFrame): void {
    void this.#intake.chunk(f, n.id, performance.now());
  }

  #verified(held: Held, chunk: Parameters<Giving["chunk"]>[1], from: string): void {
    const { stats } = this.#o;
    const now = performance.now();
    const n = this.swarm.get(from);
    const bytes = chunk.data.length;
    stats.verified++;
    if (from === HTTP) stats.httpChunks += bytes;
    else stats.peers += bytes;
    this.giving.received += bytes;
    n?.bring(held, chunk.number, now, !this.#repair.isAsked(held.content, chunk.number, from));
    this.#tellHave(held, chunk.number, from, now);
    const late = this.#repair.wasAsked(held.content, chunk.number, from, now) ? 1 : 0;
    n?.count({ received: bytes, late });
    this.giving.chunk(held, chunk, from, now);
  }

  /** On full lines, most answers would come a second time else. */
  #tellHave(held: Held, number: number, from: string, now: number): void {
    const { content } = held;
    const senders = (): string[] => {
      const legs = this.#overlap.legs(now).filter((leg) => leg.content === content && leg.partition === number % held.k);
      return [...parents(this.#plan?.sources ?? [], content, number % held.k), ...legs.map((leg) => leg.peer)];
    };
    for (const id of this.#repair.others(content, number, from, senders)) {
      this.swarm.get(id)?.link?.send({ type: "have", content, numbers: [number] });
    }
  }

  #duplicate(from: string, f: ChunkFrame): void {
    this.#o.stats.duplicates++;
    const late = this.#repair.wasRepaired(f.content, f.number, from) ? 1 : 0;
    const n = this.swarm.get(from);
    const held = this.memory.get(f.content);
    if (held) n?.bring(held, f.number, performance.now(), !this.#repair.isAsked(f.content, f.number, from));
    n?.count({ twice: f.payload.length, late });
  }

  /** The first bad chunk: that link closes, and the planner is told which one it was. */
  #bad(from: string, blame: Blamed): void {
    this.#o.stats.bad++;
    const n = this.swarm.get(from);
    if (!n) return;
    n.count({ blame });
    this.#o.send({ type: "report", links: [n.report(performance.now())] });
    this.swarm.ban(from, bye.badChunk);
  }
}
