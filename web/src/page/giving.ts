// What this page passes on: its own assignments, and answers to asks.
import type { Assignment } from "../wire/control.ts";
import type { Ask, ContentID, Enough, Have, Past, PeerID, UpdateFrame } from "../wire/frame.ts";
import { nextOf, type SignedManifest } from "../wire/manifest.ts";
import type { VerifiedChunk } from "../wire/verified.ts";
import type { Copy, Held } from "./held.ts";
import type { Memory } from "./memory.ts";
import type { Neighbour, Shown } from "./neighbour.ts";
import { Overlap, type Way } from "./overlap.ts";
import { ASKED, PAST } from "./queue.ts";
import type { Swarm } from "./swarm.ts";

const RATIO = 2; // bytes sent for each byte received, at most
const HEAD_START = 1 << 20; // bytes that may be sent before anything came
const PUSH_MS = 6000; // a pushed chunk that could not go by then is useless
const ANSWER_MS = 4000; // the same for an ask that names no time
const PAST_MS = 10_000;
const FULL_MS = 2000; // what the plan wants waits so long here: no more is taken on
const MANIFESTS = 32; // in one frame
const MAX_HAS = 256; // chunks that a neighbour has said to have
const MAX_SHOWN = 4096; // runs remembered of one content: as many as are held

const noBytes = new Uint8Array(0);

export class Giving {
  readonly #memory: Memory;
  readonly #swarm: Swarm;
  readonly #sent: (bytes: number) => void;
  readonly #overlap = new Overlap();
  #assignments: Assignment[] = [];
  relay = true;
  sent = 0;
  received = 0;

  constructor(memory: Memory, swarm: Swarm, sent: (bytes: number) => void) {
    this.#memory = memory;
    this.#swarm = swarm;
    this.#sent = sent;
  }

  setAssignments(assignments: Assignment[], now: number): void {
    const way = (a: Assignment): Way => ({ peer: a.to, content: a.content, partitions: a.partitions });
    this.#overlap.change(this.#assignments.map(way), assignments.map(way), (peer) => this.#swarm.get(peer)?.open === true, now);
    this.#assignments = assignments;
    for (const n of this.#swarm.open()) this.opened(n);
  }

  /** Shows a neighbour the contents that this page is to send it. */
  opened(n: Neighbour): void {
    if (n.link) n.link.rate = this.#of(n.id).reduce((sum, a) => sum + a.rate, 0);
    for (const a of this.#of(n.id)) {
      const held = this.#memory.get(a.content);
      if (held && !n.shown.has(a.content)) this.#showAll(n, held);
    }
  }

  /** Passes a new playlist on, with the runs that go with it. */
  copy(held: Held, copy: Copy): void {
    for (const n of this.#children(held.content)) {
      const shown = n.shown.get(held.content);
      if (!shown) this.#showAll(n, held);
      else this.#send(n, held, this.#unshown(held, shown), this.#update(copy, shown));
    }
  }

  /** Passes a new run on before its chunks. */
  run(held: Held, run: SignedManifest): void {
    for (const n of this.#children(held.content)) {
      const shown = n.shown.get(held.content);
      if (!shown) this.#showAll(n, held);
      else if (!shown.runs.has(run.manifest.first)) this.#send(n, held, [run], null);
    }
  }

  /** Passes a verified chunk on at once, to the children of its partition. */
  chunk(held: Held, chunk: VerifiedChunk, from: string, now: number): void {
    const partition = chunk.number % held.k;
    for (const a of this.#assignments) {
      if (a.content === held.content && (a.partitions & (1 << partition)) !== 0) this.#push(a.to, held, chunk, a.priority, from, now);
    }
    for (const leg of this.relay ? this.#overlap.legs(now) : []) {
      if (leg.content === held.content && leg.partition === partition) this.#push(leg.peer, held, chunk, PAST, from, now);
    }
  }

  #push(to: PeerID, held: Held, chunk: VerifiedChunk, priority: number, from: string, now: number): void {
    const n = to === from ? undefined : this.#swarm.get(to);
    if (!n?.open || n.has.has(`${held.content}/${chunk.number}`) || (n.says(held, chunk.number) && chunk.number < held.recent(1))) return; // a gap filled here is no news there
    this.#owe(n, held, chunk.number, priority, now, PUSH_MS);
    this.pump(n, now);
  }

  /** Stops what went on after a change of the plan; what is before the number still goes. */
  enough(n: Neighbour, f: Enough): void {
    const held = this.#memory.get(f.content);
    if (!this.#overlap.end({ peer: n.id, content: f.content, partition: f.partition }) || !held) return;
    n.queue.drop((o) => o.priority === PAST && o.content === f.content && o.number >= f.from && o.number % held.k === f.partition);
  }

  /** Drops what a neighbour has by now. */
  have(n: Neighbour, f: Have): void {
    n.queue.drop((o) => o.content === f.content && f.numbers.includes(o.number));
    for (const number of f.numbers) note(n.has, `${f.content}/${number}`, MAX_HAS);
  }

  ask(n: Neighbour, f: Ask, now: number): void {
    const held = this.#memory.get(f.content);
    const able = this.relay && !this.#swarm.open().some((o) => o.queue.behind(now) > FULL_MS);
    const missing = f.numbers.filter((number) => !able || !held?.has(number));
    if (missing.length > 0) n.link?.send({ type: "missing", content: f.content, numbers: missing });
    if (!held || !able) return;
    for (const number of f.numbers) if (held.has(number)) this.#owe(n, held, number, ASKED, now, Math.min(f.within || ANSWER_MS, PAST_MS));
    this.pump(n, now);
  }

  past(n: Neighbour, f: Past, now: number): void {
    const held = this.#memory.get(f.content);
    const range = held?.range();
    if (!held || !range || !this.relay) return;
    const shown = n.shown.get(f.content);
    if (!shown) this.#showAll(n, held);
    else if (held.newest && shown.sequence !== held.newest.signed.update.sequence) {
      this.#send(n, held, this.#unshown(held, shown), this.#update(held.newest, shown)); // it has lost its source
    }
    for (let number = Math.max(f.from, range.first); number < range.next; number++) {
      if ((f.partitions & (1 << (number % held.k))) !== 0 && held.has(number)) this.#owe(n, held, number, PAST, now, PAST_MS);
    }
    this.pump(n, now);
  }

  /** Sends what the link takes, most urgent first. */
  pump(n: Neighbour, now: number): void {
    while (n.link?.open && this.sent <= RATIO * this.received + HEAD_START) {
      const owed = n.queue.take(now);
      if (!owed) return;
      const chunk = this.#memory.get(owed.content)?.chunk(owed.number);
      if (!chunk) continue;
      const ok = n.link.sendChunk({ type: "chunk", content: owed.content, number: owed.number, payload: chunk.data });
      if (!ok) {
        n.queue.push(owed, now);
        return;
      }
      this.sent += chunk.data.length;
      n.count({ sent: chunk.data.length });
      this.#sent(chunk.data.length);
    }
  }

  #of(id: string): Assignment[] {
    return this.#assignments.filter((a) => a.to === id);
  }

  #children(content: ContentID): Neighbour[] {
    const still = new Set(this.#overlap.legs(performance.now()).filter((leg) => leg.content === content).map((leg) => leg.peer));
    return this.#swarm.open().filter((n) => still.has(n.id) || this.#of(n.id).some((a) => a.content === content));
  }

  #owe(n: Neighbour, held: Held, number: number, priority: number, now: number, within: number): void {
    const run = held.runOf(number);
    if (!run) return;
    const shown = n.shown.get(held.content);
    if (!shown) this.#showAll(n, held);
    else if (!shown.runs.has(run.manifest.first)) this.#send(n, held, [run], null);
    n.queue.push({ content: held.content, number, priority, deadline: now + within, since: now }, now);
  }

  #showAll(n: Neighbour, held: Held): void {
    const shown: Shown = { sequence: null, runs: new Set() };
    n.shown.set(held.content, shown);
    const newest = held.newest;
    this.#send(n, held, this.#unshown(held, shown), newest ? this.#update(newest, shown) : null);
  }

  #unshown(held: Held, shown: Shown): SignedManifest[] {
    const next = held.range();
    return held.runs.filter((r) => !shown.runs.has(r.manifest.first) && next !== null && nextOf(r.manifest) > next.first);
  }

  /** The edit as it came if the neighbour has what it was made of, else the whole playlist. */
  #update(copy: Copy, shown: Shown): Pick<UpdateFrame, "update" | "edit"> {
    const fits = copy.edit !== null && copy.base !== null && shown.sequence === copy.base.update.sequence;
    shown.sequence = copy.signed.update.sequence;
    const whole = { from: 0, to: 0, head: copy.playlist, tail: noBytes };
    return { update: copy.signed.raw, edit: fits ? copy.edit : whole };
  }

  #send(n: Neighbour, held: Held, runs: SignedManifest[], update: Pick<UpdateFrame, "update" | "edit"> | null): void {
    const shown = n.shown.get(held.content);
    if (shown) for (const r of runs) note(shown.runs, r.manifest.first, MAX_SHOWN);
    const first = runs.slice(0, MANIFESTS).map((r) => r.raw);
    n.link?.send({ type: "update", update: update?.update ?? noBytes, edit: update?.edit ?? null, manifests: first });
    for (let at = MANIFESTS; at < runs.length; at += MANIFESTS) {
      const manifests = runs.slice(at, at + MANIFESTS).map((r) => r.raw);
      n.link?.send({ type: "update", update: noBytes, edit: null, manifests });
    }
  }
}

function note<T>(set: Set<T>, value: T, most: number): void {
  set.add(value);
  const oldest = set.values().next().value;
  if (set.size > most && oldest !== undefined) set.delete(oldest);
}
