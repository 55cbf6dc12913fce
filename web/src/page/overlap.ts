// A change of the plan takes a partition from one sender and gives it to another,
// whose link may not be open yet: behind full lines that takes seconds. Until it
// brings the partition the one before goes on (make before break), and an enough
// tells it when to stop.
import type { Source } from "../wire/control.ts";
import type { ContentID, PeerID } from "../wire/frame.ts";

const GOES_ON_MS = 10_000; // a sender with what a change of the plan took from it
const PARTITIONS = 8;

/** Partitions that one neighbour is to send another, as a plan has it. */
export type Way = { peer: PeerID; content: ContentID; partitions: number };

/** One partition of a way that was planned and is no more. */
export type Leg = { peer: PeerID; content: ContentID; partition: number; until: number };

export class Overlap {
  readonly #legs = new Map<string, Leg>();

  /** Keeps what the plan before wanted and the new one does not, with those who are linked. */
  change(before: readonly Way[], after: readonly Way[], linked: (peer: PeerID) => boolean, now: number): void {
    for (const leg of before.flatMap((w) => legsOf(w, now))) if (!this.#legs.has(key(leg)) && linked(leg.peer)) this.#legs.set(key(leg), leg);
    for (const leg of after.flatMap((w) => legsOf(w, now))) this.#legs.delete(key(leg));
  }

  /** Those that go on. */
  legs(now: number): Leg[] {
    for (const leg of this.#legs.values()) if (now >= leg.until) this.#legs.delete(key(leg));
    return [...this.#legs.values()];
  }

  /**
   * Ends those of no more use, and tells from which number on: somebody whom the plan
   * has send the partition now brings it, since a number, or nobody is to.
   */
  succeeded(sources: readonly Source[], brings: (peer: PeerID, leg: Leg) => number | null, now: number): { leg: Leg; from: number }[] {
    const out: { leg: Leg; from: number }[] = [];
    for (const leg of this.legs(now)) {
      const successors = parents(sources, leg.content, leg.partition);
      const begun = successors.map((peer) => brings(peer, leg)).filter((from) => from !== null);
      if (successors.length > 0 && begun.length === 0) continue;
      this.end(leg);
      out.push({ leg, from: begun[0] ?? 0 });
    }
    return out;
  }

  /** Ends one; false if there is none. */
  end(leg: Omit<Leg, "until">): boolean {
    return this.#legs.delete(key(leg));
  }
}

/** Who is to send a partition. */
export function parents(sources: readonly Source[], content: ContentID, partition: number): PeerID[] {
  return sources.filter((s) => s.content === content && !s.standby && (s.partitions & (1 << partition)) !== 0).map((s) => s.from);
}

function legsOf(w: Way, now: number): Leg[] {
  const out: Leg[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    if ((w.partitions & (1 << partition)) !== 0) out.push({ peer: w.peer, content: w.content, partition, until: now + GOES_ON_MS });
  }
  return out;
}

function key(leg: Omit<Leg, "until">): string {
  return `${leg.peer}/${leg.content}/${leg.partition}`;
}
