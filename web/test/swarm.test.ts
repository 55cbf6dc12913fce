// How a page keeps its place: links that grow old are replaced, and nobody
// rejoins at one moment with all others.
import { test } from "node:test";
import assert from "node:assert/strict";
import { backoff } from "../src/page/backoff.ts";
import type { Link } from "../src/page/link.ts";
import { Swarm, type SwarmOptions } from "../src/page/swarm.ts";

const PEER = "ab".repeat(16);
const MINUTE = 60_000;

/** As much of a PeerConnection as an offer needs. */
class Connection {
  static made = 0;
  readonly localDescription = { sdp: "v=0\r\n" };
  createDataChannel = (): object => ({});
  createOffer = (): Promise<object> => Promise.resolve({});
  setLocalDescription = (): Promise<void> => Promise.resolve();
  close = (): void => undefined;

  constructor() {
    Connection.made++;
  }
}
Object.assign(globalThis, { RTCPeerConnection: Connection });

const nothing = (): void => undefined;
const events = { open: nothing, frame: nothing, chunk: nothing, room: nothing, closed: nothing, quiet: nothing };

const rows = [
  { name: "young", age: 54 * MINUTE, records: 1000, offer: true, renewed: false },
  { name: "nearly an hour old", age: 56 * MINUTE, records: 0, offer: true, renewed: true },
  { name: "of many records, but not enough", age: MINUTE, records: 0.89 * 2 ** 24, offer: true, renewed: false },
  { name: "of nearly 2^24 records", age: MINUTE, records: 0.91 * 2 ** 24, offer: true, renewed: true },
  { name: "old, and the other side makes the offers", age: 59 * MINUTE, records: 2 ** 24, offer: false, renewed: false },
];
for (const c of rows) {
  test(`a link that is ${c.name} is ${c.renewed ? "" : "not "}replaced`, () => {
    const now = performance.now();
    let closed = false;
    const link = { open: true, heard: now, pinged: 0, born: now - c.age, records: c.records, close: () => (closed = true) };
    const swarm = new Swarm({ stun: [], signal: nothing } as unknown as SwarmOptions, events);
    const introduction = { peer: PEER, key: new Uint8Array(32), role: "booster", offer: false };
    swarm.setPlan({ introductions: [introduction] } as unknown as Parameters<Swarm["setPlan"]>[0], now);
    const n = swarm.get(PEER);
    assert(n);
    n.link = link as unknown as Link;
    n.introduction = { ...n.introduction, offer: c.offer };
    const before = Connection.made;
    swarm.tick(now);
    swarm.tick(now + 100);
    assert.equal(Connection.made - before, c.renewed ? 1 : 0);
    assert.equal(n.opening !== null, c.renewed);
    assert(n.open && !closed, "the old link delivers until the new one is open");
  });
}

test("pages rejoin spread over half of a wait that doubles, up to 15 s", () => {
  for (const [least, failures, from, to] of [
    [0, 0, 250, 500],
    [0, 1, 500, 1000],
    [0, 3, 2000, 4000],
    [0, 5, 7500, 15_000],
    [0, 50, 7500, 15_000],
    [60_000, 1, 30_000, 60_000], // where the host said that it is full
  ] as const) {
    assert.deepEqual([backoff(least, failures, 0), backoff(least, failures, 1)], [from, to]);
    assert.equal(backoff(least, failures, 0.5), (from + to) / 2);
  }
});
