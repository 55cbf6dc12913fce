// What a page passes on and lets go: across a restart of the host, and between neighbours.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Answers } from "../src/page/answers.ts";
import { Delivery } from "../src/page/delivery.ts";
import { Giving } from "../src/page/giving.ts";
import type { Copy } from "../src/page/held.ts";
import type { Link } from "../src/page/link.ts";
import { Memory } from "../src/page/memory.ts";
import { Overlap } from "../src/page/overlap.ts";
import { Pull } from "../src/page/pull.ts";
import { Neighbour } from "../src/page/neighbour.ts";
import { Repair } from "../src/page/repair.ts";
import { Swarm, type SwarmOptions } from "../src/page/swarm.ts";
import type { Introduction } from "../src/wire/control.ts";
import type { ChunkFrame, Frame } from "../src/wire/frame.ts";
import { VerifiedChunk } from "../src/wire/verified.ts";
import type { ToWorker } from "../src/port.ts";
import { CONTENT, media, newRun, newSite, newUpdate, type Up } from "./make.ts";

const OTHER = "ffeeddccbbaa99887766554433221100";
const URL = "/live/index.m3u8";
const child = "c".repeat(32);
const introduction = (offer: boolean): Introduction => ({ peer: child, key: new Uint8Array(32), offer }) as unknown as Introduction;

test("after a restart of the host its newer epoch is shown, and the older one goes", async () => {
  const site = await newSite();
  const copy = async (u: Up): Promise<Copy> => ({
    signed: await newUpdate(site, u, new Uint8Array(0)), playlist: new Uint8Array(0), arrived: 0, edit: null, base: null,
  });
  const memory = new Memory();
  memory.of(CONTENT).addCopy(await copy({ sequence: 90, next: 10, lastFirst: 5, lastNext: 10, expires: 1000 }));
  assert.equal(memory.playlist(URL)?.content, CONTENT);
  memory.of(OTHER).addCopy(await copy({ epoch: 2, content: OTHER, sequence: 1, next: 10, lastFirst: 5, lastNext: 10, expires: 2000 }));
  assert.equal(memory.playlist(URL)?.content, OTHER);
  memory.trim(500);
  assert.equal(memory.all().length, 2, "the older one is still of use");
  memory.trim(3000);
  assert.deepEqual(memory.all().map((h) => h.content), [OTHER], "the newest stays, expired or not");
});

test("a neighbour that has the past is not pushed it again, but what is under way is", async () => {
  const site = await newSite();
  const memory = new Memory();
  const held = memory.of(CONTENT, 1);
  const sent: number[] = [];
  const link = {
    open: true,
    send: (_: Frame) => undefined,
    sendChunk: (f: ChunkFrame) => (sent.push(f.number), true),
  };
  const n = new Neighbour(introduction(false));
  n.link = link as unknown as Link;
  const giving = new Giving(memory, { get: () => n, open: () => [n] } as unknown as Swarm, () => undefined);
  giving.setAssignments([{ content: CONTENT, partitions: 1, to: child, rate: 1e6, priority: 1 }], 0);
  const data = media(100);
  for (let number = 0; number < 4; number++) held.addRun(await newRun(site, { first: number, url: `/${number}.ts` }, data), 0);
  const update = await newUpdate(site, { sequence: 1, next: 4, lastFirst: 3, lastNext: 4 }, new Uint8Array(0));
  held.addCopy({ signed: update, playlist: new Uint8Array(0), arrived: 0, edit: null, base: null });
  held.k = 1;
  const take = async (number: number): Promise<void> => {
    const run = held.runOf(number);
    assert(run);
    const chunk = await VerifiedChunk.verify(run, number, data);
    held.put(chunk);
    giving.chunk(held, chunk, "f".repeat(32), 0);
  };
  await take(0);
  assert.deepEqual(sent, [0], "nothing is known of what it has");
  n.ranges.set(CONTENT, { content: CONTENT, partitions: 1, first: 0, next: 4 });
  for (const number of [1, 2, 3]) await take(number);
  assert.deepEqual(sent, [0, 3]);
});

test("a change of the plan: the sender before goes on until its receiver has enough", async () => {
  const site = await newSite();
  const memory = new Memory();
  const held = memory.of(CONTENT, 2);
  const sent: number[] = [];
  let room = true;
  const link = {
    open: true,
    send: (_: Frame) => undefined,
    sendChunk: (f: ChunkFrame) => room && (sent.push(f.number), true),
  };
  const n = new Neighbour(introduction(false));
  n.link = link as unknown as Link;
  const giving = new Giving(memory, { get: () => n, open: () => [n] } as unknown as Swarm, () => undefined);
  const data = media(100);
  const take = async (number: number, now: number): Promise<void> => {
    const run = await newRun(site, { first: number, url: `/${number}.ts` }, data);
    held.addRun(run, now);
    const chunk = await VerifiedChunk.verify(run, number, data);
    held.put(chunk);
    giving.chunk(held, chunk, "f".repeat(32), now);
  };
  const assigned = { content: CONTENT, partitions: 3, to: child, rate: 1e6, priority: 2 };
  giving.setAssignments([assigned], 0);
  giving.setAssignments([{ ...assigned, partitions: 2 }], 100);
  giving.setAssignments([{ ...assigned, partitions: 2 }], 200);
  for (const number of [0, 1, 2]) await take(number, 300);
  assert.deepEqual(sent, [0, 1, 2]);
  room = false;
  for (const number of [3, 4, 6]) await take(number, 400);
  assert.equal(n.queue.size, 3);
  assert.equal(n.queue.behind(1400), 1000, "what goes on is no measure of the line");
  giving.enough(n, { type: "enough", content: CONTENT, partition: 0, from: 6 });
  room = true;
  giving.pump(n, 500);
  assert.deepEqual(sent, [0, 1, 2, 3, 4], "what is before goes, after what the plan wants");
  await take(8, 600);
  assert.deepEqual(sent.slice(5), [], "it has enough");
  giving.relay = false;
  await take(5, 650); // the plan's own wish stays until the next plan
  giving.relay = true;
  giving.setAssignments([], 700);
  giving.relay = false;
  await take(7, 710);
  assert.deepEqual(sent.slice(5), [5], "nothing goes on where the viewer gives nothing any more");
  giving.relay = true;
  await take(9, 700 + 9_999);
  await take(11, 700 + 10_000);
  assert.deepEqual(sent.slice(5), [5, 9], "nobody goes on for longer");
});

test("a sender of the plan before is told enough once a successor brings the partition", () => {
  const overlap = new Overlap();
  const way = (peer: string, partitions: number) => ({ peer, content: CONTENT, partitions });
  const source = (from: string, partitions: number, standby = false) => ({ content: CONTENT, from, partitions, standby });
  const told = (sources: Parameters<Overlap["succeeded"]>[0], now: number, brought: Record<string, number> = {}): string =>
    overlap.succeeded(sources, (peer, leg) => brought[`${peer}${leg.partition}`] ?? null, now).map((x) => `${x.leg.peer}${x.leg.partition}:${x.from}`).join();
  overlap.change([way("a", 7), way("gone", 8)], [way("a", 1), way("b", 6)], (peer) => peer !== "gone", 0);
  const sources = [source("a", 1), source("b", 6), source("s", 7, true)];
  assert.equal(told(sources, 0, { s1: 3, a1: 9 }), "", "neither a standby nor the sender itself succeeds it");
  assert.equal(told(sources, 100, { b1: 40 }), "a1:40");
  assert.equal(told(sources, 200, { b1: 40 }), "", "once");
  assert.equal(told([source("a", 1)], 300), "a2:0", "nobody is to send it any more");
  overlap.change([way("a", 1)], [way("b", 1)], () => true, 1000);
  overlap.change([way("b", 1)], [way("a", 1)], () => true, 2000);
  assert.deepEqual(overlap.legs(2000).map((leg) => leg.peer), ["b"], "the plan has it back");
  assert.deepEqual(overlap.legs(12_000), []);
});

test("nothing is taken on where what the plan wants waits too long", async () => {
  const site = await newSite();
  const memory = new Memory();
  const held = memory.of(CONTENT, 1);
  const said: Frame[] = [];
  const n = new Neighbour(introduction(false));
  n.link = { open: true, send: (f: Frame) => said.push(f), sendChunk: () => false } as unknown as Link;
  const giving = new Giving(memory, { get: () => n, open: () => [n] } as unknown as Swarm, () => undefined);
  giving.setAssignments([{ content: CONTENT, partitions: 1, to: child, rate: 1e6, priority: 2 }], 0);
  const data = media(100);
  for (const number of [0, 1]) {
    const run = await newRun(site, { first: number, url: `/${number}.ts` }, data);
    held.addRun(run, 0);
    const chunk = await VerifiedChunk.verify(run, number, data);
    held.put(chunk);
    if (number === 0) giving.chunk(held, chunk, "f".repeat(32), 0);
  }
  const refused = (): number[] => said.flatMap((f) => (f.type === "missing" ? f.numbers : []));
  giving.ask(n, { type: "ask", content: CONTENT, within: 4000, numbers: [1] }, 2000);
  assert.deepEqual([refused(), n.queue.size], [[], 2]);
  giving.ask(n, { type: "ask", content: CONTENT, within: 4000, numbers: [1] }, 2001);
  assert.deepEqual(refused(), [1]);
});

test("what a neighbour has by now is not sent", async () => {
  const site = await newSite();
  const memory = new Memory();
  const held = memory.of(CONTENT, 1);
  const sent: number[] = [];
  let room = false;
  const n = new Neighbour(introduction(false));
  n.link = { open: true, send: () => undefined, sendChunk: (f: ChunkFrame) => room && (sent.push(f.number), true) } as unknown as Link;
  const giving = new Giving(memory, { get: () => n, open: () => [n] } as unknown as Swarm, () => undefined);
  giving.setAssignments([{ content: CONTENT, partitions: 1, to: child, rate: 1e6, priority: 2 }], 0);
  const data = media(100);
  const take = async (number: number): Promise<void> => {
    const run = await newRun(site, { first: number, url: `/${number}.ts` }, data);
    held.addRun(run, 0);
    const chunk = await VerifiedChunk.verify(run, number, data);
    held.put(chunk);
    giving.chunk(held, chunk, "f".repeat(32), 0);
  };
  for (const number of [0, 1]) await take(number);
  giving.have(n, { type: "have", content: CONTENT, numbers: [1, 2] });
  await take(2); // that one has come to it before it is here
  await take(3);
  room = true;
  giving.pump(n, 100);
  assert.deepEqual(sent.sort(), [0, 3]);
});

test("whoever may still send a chunk that was asked for is told that it has come", () => {
  const held = new Memory().of(CONTENT, 1);
  const repair = new Repair();
  const helpers = ["a", "b"].map((id) => {
    const n = new Neighbour({ ...introduction(false), peer: id.repeat(32) });
    n.link = { open: true, heard: 0, send: () => undefined } as unknown as Link;
    n.ranges.set(CONTENT, { content: CONTENT, partitions: 1, first: 0, next: 9 });
    return n;
  });
  for (const now of [0, 1000]) repair.ask(held, [7], [], helpers, now);
  const senders = (): string[] => ["s", "b".repeat(32)];
  assert.deepEqual(repair.others(CONTENT, 7, "b".repeat(32), senders), ["a".repeat(32), "s"]);
  assert.deepEqual(repair.others(CONTENT, 8, "s", senders), [], "nobody was asked for that one");
});

test("a server that answers without the chunks is not asked for ever", async () => {
  const site = await newSite();
  const held = new Memory().of(CONTENT, 1);
  held.addRun(await newRun(site, { first: 0, url: "/0.ts" }, media(100)), 0);
  const posted: ToWorker[] = [];
  let fetches = 0;
  const delivery = new Delivery({
    id: 1, held, url: "/0.ts", from: 0, end: 100, target: 2000, asked: performance.now(),
    post: (m) => posted.push(m), ahead: () => 0,
    http: { speed: { rate: 1000, delay: 1 }, fetch: async () => void fetches++, flying: () => false },
    grant: () => 0, answered: () => undefined,
  });
  await delivery.run();
  assert.equal(fetches, 1);
  assert.deepEqual(posted.map((m) => m.type), ["fetch"]);
});

test("a neighbour that went without a word is found out by a sign of life", () => {
  let quiet = 0;
  const nothing = (): void => undefined;
  const events = { open: nothing, frame: nothing, chunk: nothing, room: nothing, closed: nothing, quiet: () => quiet++ };
  const swarm = new Swarm({} as SwarmOptions, events);
  swarm.setPlan({ introductions: [introduction(false)] } as unknown as Parameters<Swarm["setPlan"]>[0], 0);
  let closed = false;
  const link = { open: true, heard: 0, pinged: 0, born: 0, records: 0, close: () => (closed = true) };
  const n = swarm.get(child);
  assert(n);
  n.link = link as unknown as Link;
  swarm.tick(1100);
  assert.equal(quiet, 0);
  swarm.tick(60_000); // the timers of a hidden tab rest: silence alone proves nothing
  assert.deepEqual([quiet, closed], [1, false]);
  swarm.tick(63_900);
  assert.equal(closed, false);
  link.heard = 63_950;
  swarm.tick(70_000);
  assert.deepEqual([quiet, closed], [2, false], "it answered");
  swarm.tick(74_100);
  assert.deepEqual([quiet, closed], [2, true]);
});

test("while a source is gone its standby is asked, twice a second", () => {
  const source = (from: string, partitions: number, standby: boolean) => ({ content: CONTENT, from, partitions, standby, rate: 0 });
  const sources = [source("a", 3, false), source("b", 12, false), source("s", 1, true), source("t", 15, true)];
  const pull = new Pull();
  const without = (...gone: string[]) => (peer: string) => !gone.includes(peer);
  let still = 0;
  const due = (now: number, ...gone: string[]): string =>
    pull.due(CONTENT, sources, without(...gone), still, now).map((w) => `${w.from}${w.partitions}`).join();
  assert.equal(due(0), "");
  assert.equal(due(1200, "a"), "", "the planner may be quicker");
  assert.equal(due(1500, "a"), "s1,t2");
  assert.equal(due(1900, "a"), "");
  assert.equal(due(2000, "a", "s"), "t3");
  assert.equal(due(2600), "", "it is back");
  assert.equal(due(9200, "b"), "");
  assert.equal(due(9500, "b"), "t12");
  still = 12;
  assert.equal(due(10_000, "b"), "", "the sender before goes on with both");
  still = 4;
  assert.equal(due(10_500, "b"), "", "a partition has no sender from now on");
  assert.equal(due(10_800, "b"), "t8");
});

test("a playlist that is not held is not waited for, a segment is for a moment", async () => {
  const answers = new Answers({
    memory: new Memory(), linked: () => true, originNow: () => 0, ahead: () => null, fetcher: null,
    rate: () => 0, touched: () => undefined, answered: () => undefined,
  });
  const took = async (url: string): Promise<number> => {
    const posted: string[] = [];
    const began = performance.now();
    await answers.answer({ type: "request", id: 1, url, start: null, end: null, own: true }, (m) => posted.push(m.type));
    assert.deepEqual(posted, ["taken", "fetch"]);
    return performance.now() - began;
  };
  assert((await took("/live/master.m3u8?a=b")) < 200);
  assert((await took("/live/1.ts")) >= 290);
});

test("what nobody has is asked for once a round, not as often as they say so", () => {
  const held = new Memory().of(CONTENT, 1);
  const asks: number[] = [];
  const n = new Neighbour(introduction(false));
  let now = 1000;
  n.link = { open: true, send: () => asks.push(now) } as unknown as Link;
  const source = { content: CONTENT, partitions: 1, from: child, standby: false };
  const repair = new Repair();
  for (; now < 4000; now += 100) {
    repair.ask(held, [7], [source], [n], now);
    repair.missing(CONTENT, [7]);
  }
  assert.deepEqual(asks, [1000, 2000, 3000]);
});

test("what many chunks were asked for with is no reason to ask another while they come", () => {
  const held = new Memory().of(CONTENT, 1);
  const asks: [string, number, number][] = []; // whom, when, how many
  let now = 1000;
  const neighbour = (id: string): Neighbour => {
    const n = new Neighbour({ ...introduction(false), peer: id });
    n.link = { open: true, send: (f: { numbers: number[] }) => asks.push([id, now, f.numbers.length]) } as unknown as Link;
    n.rtt = 10;
    return n;
  };
  const both = [neighbour("a"), neighbour("b")];
  const sources = ["a", "b"].map((from) => ({ content: CONTENT, partitions: 1, from, standby: true }));
  const repair = new Repair();
  let missing = Array.from({ length: 40 }, (_, i) => i);
  repair.ask(held, missing, sources, both, now);
  for (now = 1100; now <= 1400; now += 100) {
    for (const n of missing.slice(0, 5)) assert.equal(repair.wasAsked(CONTENT, n, "a", now), false);
    missing = missing.slice(5); // it brings five each tenth of a second
    repair.ask(held, missing, sources, both, now);
  }
  assert.deepEqual(asks, [["a", 1000, 40]], "the next one is not asked");
  for (; now <= 2000; now += 100) repair.ask(held, missing, sources, both, now);
  assert.deepEqual(asks.slice(1), [["b", 1600, 20]], "but once they come no more");
});
