// The gate and what stands behind it.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Delivery } from "../src/page/delivery.ts";
import { spanOf } from "../src/page/answers.ts";
import { Intake } from "../src/page/intake.ts";
import { lateNumbers } from "../src/page/late.ts";
import { grantOf } from "../src/page/grant.ts";
import { MAX_BYTES, Memory } from "../src/page/memory.ts";
import { placeOf } from "../src/page/place.ts";
import { missingOf, totalOf } from "../src/page/segment.ts";
import type { ToWorker } from "../src/port.ts";
import { concat, equal } from "../src/wire/bytes.ts";
import { CHUNK_SIZE } from "../src/wire/constants.ts";
import type { UpdateFrame } from "../src/wire/frame.ts";
import { ChunkError, VerifiedChunk } from "../src/wire/verified.ts";
import { CONTENT, cut, media, newRun, newSite, newUpdate, rawRun, rawUpdate, type Site } from "./make.ts";

const none = new Uint8Array(0);

function intake(site: Site): { memory: Memory; intake: Intake; log: string[] } {
  const memory = new Memory();
  const log: string[] = [];
  const made = new Intake(site.public, memory, {
    run: (_, r) => log.push(`run ${r.manifest.first}`),
    copy: (_, c) => log.push(`copy ${c.signed.update.sequence}`),
    chunk: (_, c, from) => log.push(`chunk ${c.number} ${from}`),
    duplicate: (from) => log.push(`duplicate ${from}`),
    bad: (from, b) => log.push(`bad ${b.number} ${from}`),
  });
  return { memory, intake: made, log };
}

const frame = (manifests: Uint8Array[]): UpdateFrame => ({ type: "update", update: none, edit: null, manifests });

test("only verify makes a verified chunk", async () => {
  const site = await newSite();
  const data = media(20_000);
  const run = await newRun(site, { first: 7, url: "/s.ts" }, data);
  const [one, two] = cut(data) as [Uint8Array, Uint8Array];
  const chunk = await VerifiedChunk.verify(run, 7, one);
  assert(VerifiedChunk.is(chunk) && equal(chunk.data, one));
  one[0] = (one[0] ?? 0) ^ 1;
  assert(!equal(chunk.data, one), "what was verified cannot be changed from outside");
  for (const [n, bytes] of [[7, one], [8, two.subarray(1)], [9, two], [6, one], [7, two]] as const) {
    await assert.rejects(VerifiedChunk.verify(run, n, bytes), ChunkError);
  }
  const forged = { content: CONTENT, number: 7, data: one };
  assert.equal(VerifiedChunk.is(forged), false);
  assert.equal(new Memory().of(CONTENT).put(forged as unknown as VerifiedChunk), false);
});

test("chunks wait for their manifest, bad ones are told, repeated ones counted", async () => {
  const site = await newSite();
  const { memory, intake: i, log } = intake(site);
  const data = media(40_000);
  const [a, b] = cut(data) as [Uint8Array, Uint8Array, Uint8Array];
  const chunk = (number: number, payload: Uint8Array) => ({ type: "chunk", content: CONTENT, number, payload }) as const;
  await i.chunk(chunk(0, a), "x", 0);
  assert.deepEqual(log, [], "parked");
  await i.update(frame([await rawRun(site, { first: 0, url: "/s.ts" }, data)]), 500);
  await memory.of(CONTENT).changed(50);
  assert.deepEqual(log, ["run 0", "chunk 0 x"]);
  const bad = b.slice();
  bad[5] = (bad[5] ?? 0) ^ 1;
  await i.chunk(chunk(1, bad), "y", 600);
  await i.chunk(chunk(0, a), "y", 600);
  await i.chunk(chunk(1, b), "x", 600);
  assert.deepEqual(log.slice(2), ["bad 1 y", "duplicate y", "chunk 1 x"]);
  await i.chunk(chunk(9, a), "z", 0);
  await i.update(frame([await rawRun(site, { first: 9, url: "/t.ts" }, a)]), 1001);
  assert.equal(memory.get(CONTENT)?.has(9), false, "parked for a second at most");
});

test("statements of another key change nothing", async () => {
  const [site, other] = [await newSite(), await newSite()];
  const { memory, intake: i, log } = intake(site);
  await assert.rejects(i.update(frame([await rawRun(other, { first: 0, url: "/s.ts" }, media(10))]), 0));
  const text = new TextEncoder().encode("#EXTM3U\n");
  const whole = { from: 0, to: 0, head: text, tail: none };
  const raw = await rawUpdate(other, { sequence: 1, next: 1, lastFirst: 0, lastNext: 1 }, text);
  await assert.rejects(i.update({ type: "update", update: raw, edit: whole, manifests: [] }, 0));
  assert.deepEqual([log, memory.all().length], [[], 0]);
});

test("playlists come whole or as edits, only newer ones, and must match", async () => {
  const site = await newSite();
  const { memory, intake: i, log } = intake(site);
  const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);
  const put = async (sequence: number, text: string, edit: UpdateFrame["edit"]): Promise<void> => {
    const update = await rawUpdate(site, { sequence, next: 9, lastFirst: 0, lastNext: 0 }, bytes(text));
    await i.update({ type: "update", update, edit, manifests: [] }, 0);
  };
  await put(1, "abcdef", { from: 0, to: 0, head: bytes("abcdef"), tail: none });
  await put(2, "Xdef!", { from: 3, to: 6, head: bytes("X"), tail: bytes("!") });
  await put(1, "abcdef", { from: 0, to: 0, head: bytes("abcdef"), tail: none });
  await put(3, "right", { from: 0, to: 0, head: bytes("wrong"), tail: none });
  assert.deepEqual(log, ["copy 1", "copy 2"]);
  assert.equal(new TextDecoder().decode(memory.get(CONTENT)?.newest?.playlist), "Xdef!");
});

test("memory stays within its bound, the oldest go first", async () => {
  const site = await newSite();
  const memory = new Memory();
  const held = memory.of(CONTENT);
  for (let s = 0; s < 5; s++) {
    const data = media(16_000, s);
    const run = await newRun(site, { first: s, url: `/${s}.ts`, expires: 100 + s }, data);
    held.addRun(run, 0);
    held.put(await VerifiedChunk.verify(run, s, data));
  }
  const playlist = new TextEncoder().encode("#EXTM3U");
  const signed = await newUpdate(site, { sequence: 1, next: 5, lastFirst: 4, lastNext: 5 }, playlist);
  held.addCopy({ signed, playlist, arrived: 0, edit: null, base: null });
  const statements = held.runs.map((run) => run.raw.length);
  const copies = playlist.length + signed.raw.length;
  assert.equal(memory.bytes(), 80_000 + statements.reduce((a, b) => a + b) + copies, "chunks, statements and playlists count");
  memory.trim(0, 40_000);
  assert.deepEqual([0, 1, 2, 3, 4].filter((n) => held.has(n)), [3, 4]);
  assert.equal(memory.bytes(), 32_000 + statements.slice(3).reduce((a, b) => a + b) + copies);
  assert.equal(memory.place("/0.ts", 0), undefined);
});

test("a page's memory is trimmed to 60 MB", async () => {
  assert.equal(MAX_BYTES, 60e6);
  const site = await newSite();
  const memory = new Memory();
  const held = memory.of(CONTENT);
  const data = media(128 * CHUNK_SIZE);
  for (let s = 0; s < 30; s++) { // 63 MB
    const run = await newRun(site, { first: 128 * s, url: `/${s}.ts`, expires: 100 + s }, data);
    held.addRun(run, 0);
    for (const [i, piece] of cut(data).entries()) held.put(await VerifiedChunk.verify(run, run.manifest.first + i, piece));
  }
  assert(memory.bytes() > MAX_BYTES);
  memory.trim(0);
  assert(memory.bytes() <= MAX_BYTES && memory.bytes() > MAX_BYTES - 3 * data.length, `${memory.bytes()} bytes are left`);
  assert(!held.has(0) && held.has(128 * 30 - 1));
});

test("what a request may be answered with", async () => {
  const site = await newSite();
  const runs = [await newRun(site, { first: 0, url: "/a", ends: false }, media(32_768)), await newRun(site, { first: 2, url: "/a", offset: 32_768 }, media(100))];
  const whole = runs.map(placeOf);
  assert.equal(totalOf(whole), 32_868);
  assert.deepEqual(spanOf({ start: null, end: null }, whole), { from: 0, end: 32_868, total: 32_868 });
  assert.deepEqual(spanOf({ start: 10, end: null }, whole), { from: 10, end: 32_868, total: 32_868 });
  assert.deepEqual(spanOf({ start: 10, end: 99_999 }, whole), { from: 10, end: 32_868, total: 32_868 });
  assert.deepEqual(spanOf({ start: 10, end: 19 }, whole.slice(0, 1)), { from: 10, end: 20, total: null });
  assert.equal(spanOf({ start: 10, end: null }, whole.slice(0, 1)), null, "where it ends is not known");
  assert.equal(spanOf({ start: 40_000, end: 50_000 }, whole), null);
  const ranged = [...whole, placeOf(await newRun(site, { first: 3, url: "/a", start: 32_868, offset: 32_868 }, media(5)))];
  assert.equal(spanOf({ start: null, end: null }, ranged), null, "a URL of many segments is asked by range");
  const one = [placeOf(await newRun(site, { first: 0, url: "/a", ranged: true }, media(5)))];
  assert.equal(spanOf({ start: null, end: null }, one), null, "a first byte range is not all of the URL");
  assert.deepEqual(spanOf({ start: 0, end: 4 }, one), { from: 0, end: 5, total: null });
});

test("late: past the paced time while its partition stands still, or overtaken three times", async () => {
  const site = await newSite();
  const held = new Memory().of(CONTENT, 4);
  held.k = 1;
  const data = media(8 * 16_384);
  const run = await newRun(site, { first: 0, url: "/s" }, data);
  held.addRun(run, 1000);
  const rate = 1_310_720; // a chunk takes 100 ms
  const stands = (): boolean => false;
  const goesOn = (): boolean => true;
  assert.deepEqual(lateNumbers(held, 0, rate, 1600, stands), []);
  assert.deepEqual(lateNumbers(held, 0, rate, 1601, stands), [0]);
  assert.deepEqual(lateNumbers(held, 0, rate, 1750, stands), [0, 1]);
  assert.deepEqual(lateNumbers(held, 0, rate, 1750, goesOn), [], "they are behind on a full line");
  for (const n of [2, 3, 4]) held.put(await VerifiedChunk.verify(run, n, cut(data)[n] as Uint8Array));
  assert.deepEqual(lateNumbers(held, 0, rate, 1000, stands), [0, 1], "three higher ones are here");
  assert.deepEqual(lateNumbers(held, 0, rate, 1000, goesOn), [0, 1], "and they were left out");
  assert.deepEqual(lateNumbers(held, 0, rate, 1000, goesOn, (n) => n === 3), [], "one was asked for: that says nothing of those below");
  assert.equal(held.pause, 1500, "nothing is known of its segments");
  const update = await newUpdate(site, { sequence: 1, next: 5, lastFirst: 0, lastNext: 5, expires: 1000 }, new Uint8Array(0));
  held.addCopy({ signed: update, playlist: new Uint8Array(0), arrived: 0, edit: null, base: null });
  assert.equal(held.pause, update.update.target + 500, "segments come at once");
});

test("a delivery gives the bytes in order as chunks arrive, the missing by HTTP at the last moment", async () => {
  const site = await newSite();
  const data = media(40_000);
  const run = await newRun(site, { first: 0, url: "/s" }, data);
  const held = new Memory().of(CONTENT);
  held.addRun(run, 0);
  const put = async (n: number): Promise<void> => void held.put(await VerifiedChunk.verify(run, n, cut(data)[n] as Uint8Array));
  await put(2);
  const got: Uint8Array[] = [];
  const said: string[] = [];
  const fetched: number[][] = [];
  const d = new Delivery({
    id: 1, held, url: "/s", from: 100, end: 40_000, target: 2000, asked: performance.now(),
    post: (m: ToWorker) => {
      said.push(m.type);
      if (m.type === "data") got.push(new Uint8Array(m.bytes));
      if (m.type === "data") d.pull();
    },
    ahead: () => 0,
    http: {
      speed: { rate: 100, delay: 10 },
      flying: (n) => fetched.flat().includes(n),
      fetch: async (numbers) => {
        fetched.push(numbers);
        for (const n of numbers) await put(n);
      },
    },
    grant: () => 0,
    answered: () => undefined,
  });
  d.pull();
  assert.deepEqual(missingOf(held, "/s", 100, 40_000), { numbers: [0, 1], bytes: 32_768, whole: true });
  await d.run();
  assert.deepEqual(fetched, [[0, 1]], "only what was missing");
  assert(equal(concat(...got), data.subarray(100)));
  assert.equal(said.at(-1), "end");
});

test("a slow line is asked for no more than it brings in a second, and for the rest after an answer that broke off", async () => {
  const site = await newSite();
  const held = new Memory().of(CONTENT);
  const data = media(6 * 16_384);
  const run = await newRun(site, { first: 0, url: "/s" }, data);
  held.addRun(run, 0);
  const fetched: number[][] = [];
  const said: string[] = [];
  const d: Delivery = new Delivery({
    id: 1, held, url: "/s", from: 0, end: null, target: 2000, asked: performance.now(),
    post: (m: ToWorker) => {
      said.push(m.type);
      if (m.type === "data") d.pull();
    },
    ahead: () => 0,
    http: {
      speed: { rate: 50, delay: 10 }, // three chunks a second
      flying: () => false,
      fetch: async (numbers) => {
        fetched.push(numbers);
        const first = numbers[0] ?? 0;
        held.put(await VerifiedChunk.verify(run, first, cut(data)[first] as Uint8Array));
        throw new Error("timed out");
      },
    },
    grant: () => 0,
    answered: () => undefined,
  });
  d.pull();
  await d.run();
  assert.deepEqual(fetched.slice(0, 2), [[0, 1, 2], [1, 2, 3]]);
  assert.equal(fetched.length, 6);
  assert.equal(said.includes("fetch"), false, "plain HTTP is not needed");
});

test("a delivery that HTTP cannot complete ends with fetch", async () => {
  const site = await newSite();
  const held = new Memory().of(CONTENT);
  held.addRun(await newRun(site, { first: 0, url: "/s" }, media(100)), 0);
  const said: string[] = [];
  const d = new Delivery({
    id: 1, held, url: "/s", from: 0, end: null, target: 2000, asked: performance.now(),
    post: (m: ToWorker) => said.push(m.type),
    ahead: () => 0,
    http: { speed: { rate: 100, delay: 10 }, flying: () => false, fetch: () => Promise.reject(new Error("404")) },
    grant: () => 0,
    answered: () => undefined,
  });
  await d.run();
  assert.equal(said.at(-1), "fetch");
});

test("a body is paced to the rate that is granted, a short one too", async () => {
  const site = await newSite();
  const held = new Memory().of(CONTENT);
  const data = media(30_000);
  const run = await newRun(site, { first: 0, url: "/s" }, data);
  held.addRun(run, 0);
  for (const [n, part] of cut(data).entries()) held.put(await VerifiedChunk.verify(run, n, part));
  const began = performance.now();
  const d: Delivery = new Delivery({
    id: 1, held, url: "/s", from: 0, end: 30_000, target: 2000, asked: began,
    post: (m: ToWorker) => void (m.type === "data" && d.pull()),
    ahead: () => null,
    http: { speed: { rate: 100, delay: 10 }, flying: () => false, fetch: async () => undefined },
    grant: () => 1_200_000, // bit/s: 200 ms
    answered: () => undefined,
  });
  d.pull();
  await d.run();
  assert(performance.now() - began >= 199);
});

test("a content without a grant of its own has the one for all others", () => {
  const grants = [{ content: CONTENT, rate: 7 }, { content: "0".repeat(32), rate: 3 }];
  assert.deepEqual([grantOf(grants, CONTENT), grantOf(grants, "1".repeat(32)), grantOf([], CONTENT)], [7, 3, 0]);
});
