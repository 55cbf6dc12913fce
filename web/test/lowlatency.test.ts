// Low latency: parts are runs, their segment is an alias of them, and a player
// that asks for the next part is held until it is there.
import { test } from "node:test";
import assert from "node:assert/strict";
import { Answers } from "../src/page/answers.ts";
import { choosePlaylist } from "../src/page/choose.ts";
import type { Fetcher } from "../src/page/fetcher.ts";
import { Memory } from "../src/page/memory.ts";
import { lateNumbers } from "../src/page/late.ts";
import { missingOf, totalOf } from "../src/page/segment.ts";
import { directiveOf, reached, tipOf, type Tip } from "../src/page/tip.ts";
import type { ToWorker } from "../src/port.ts";
import { concat, Writer } from "../src/wire/bytes.ts";
import { CHUNK_SIZE } from "../src/wire/constants.ts";
import { VerifiedChunk } from "../src/wire/verified.ts";
import { CONTENT, cut, media, newRun, newSite, newUpdate, type Site } from "./make.ts";

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const list = (parts: number): Uint8Array =>
  text(
    `#EXTM3U\r\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-MEDIA-SEQUENCE:7\n` +
      `#EXT-X-PART:DURATION=0.5,URI="7.0"\n#EXT-X-PART:DURATION=0.5,URI="7.1"\n#EXTINF:1,\n7\n` +
      Array.from({ length: parts }, (_, i) => `#EXT-X-PART:DURATION=0.5,URI="8.${i}"\n`).join("") +
      `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="8.${parts}"\n`,
  );

test("how far a playlist goes, and how far it is asked to go", () => {
  const tip = tipOf(list(1));
  assert.deepEqual(tip, { next: 8, parts: 1, lastParts: 2, part: 500, ended: false });
  const rows: [string, boolean][] = [
    ["_HLS_msn=6", true],
    ["_HLS_msn=7", true],
    ["_HLS_msn=7&_HLS_part=1", true],
    ["_HLS_msn=7&_HLS_part=2", true], // the first of 8
    ["_HLS_msn=8", false],
    ["_HLS_msn=8&_HLS_part=0", true],
    ["_HLS_msn=8&_HLS_part=1", false],
    ["_HLS_msn=9&_HLS_part=0", false],
  ];
  for (const [query, want] of rows) {
    const { url, ask } = directiveOf(`/l.m3u8?a=1&${query}&_HLS_skip=YES`);
    assert.equal(url, "/l.m3u8?a=1");
    assert(ask);
    assert.equal(reached(tip, ask), want, query);
  }
  const none: Tip = { ...tip, parts: 0 };
  assert.equal(reached(none, { sequence: 7, part: 2 }), false, "the first of 8 is not there");
  assert.equal(reached({ ...none, ended: true }, { sequence: 99, part: 0 }), true, "nothing more will come");
  assert.deepEqual(directiveOf("/l.m3u8?_HLS_skip=YES"), { url: "/l.m3u8", ask: null });
  assert.deepEqual(directiveOf("/l.m3u8?x=_HL"), { url: "/l.m3u8?x=_HL", ask: null });
});

/** What carries the alias of a URL. */
async function aliasRun(site: Site, n: number, url: string, runs: [first: number, count: number, length: number][]) {
  const w = new Writer().u64(0).u16(runs.length);
  for (const [first, count, length] of runs) w.u64(first).u8(count).u32(length);
  const data = w.done();
  const run = await newRun(site, { first: n, url: `/.tuber/alias${url}` }, data);
  return { run, chunk: await VerifiedChunk.verify(run, n, data) };
}

/** Two parts of one segment, held, and the segment's alias. */
async function parts(known = true) {
  const site = await newSite();
  const memory = new Memory();
  const held = memory.of(CONTENT);
  const bodies = [media(CHUNK_SIZE + 100, 1), media(700, 2)];
  let n = 0;
  for (const [i, body] of bodies.entries()) {
    const run = await newRun(site, { first: n, url: `/7.${i}` }, body);
    if (known) held.addRun(run, 0);
    for (const c of cut(body)) {
      const chunk = await VerifiedChunk.verify(run, n++, c);
      if (known) held.put(chunk);
    }
  }
  const alias = await aliasRun(site, n, "/7", [[0, 2, CHUNK_SIZE + 100], [2, 1, 700]]);
  return { site, memory, held, alias, whole: concat(...bodies) };
}

const answersOf = (memory: Memory, posted: ToWorker[] = [], ahead = 10_000) => {
  const fetcher = { speed: { rate: 1e-9, delay: 0 }, fetch: async () => {}, flying: () => false } as unknown as Fetcher;
  const answers = new Answers({
    memory, linked: () => true, originNow: () => 1, ahead: () => ahead, fetcher,
    rate: () => 0, touched: () => {}, answered: () => {},
  });
  const post = (m: ToWorker): void => {
    posted.push(m);
    if (m.type === "head" || m.type === "data") answers.pull(m.id);
  };
  return { answers, post, posted };
};

test("a segment is answered from its parts", async () => {
  const { memory, held, alias, whole } = await parts();
  assert.equal(memory.place("/7", 0), undefined);
  held.addRun(alias.run, 0);
  assert.equal(memory.place("/7", 0), undefined, "its chunk is not here");
  held.put(alias.chunk);
  assert.equal(totalOf(held.placesOf("/7")), whole.length);
  assert.deepEqual(missingOf(held, "/7", 0, null), { numbers: [], bytes: 0, whole: true });
  const { answers, post, posted } = answersOf(memory);
  await answers.answer({ type: "request", id: 1, url: "/7", start: null, end: null, own: true }, post);
  const body = concat(...posted.flatMap((m) => (m.type === "data" ? [new Uint8Array(m.bytes)] : [])));
  assert.deepEqual(body, whole);
  const head = posted.find((m) => m.type === "head");
  assert(head?.type === "head" && head.status === 200);
  assert.deepEqual(head.headers[0], ["Content-Type", "video/mp2t"]);
  const again: ToWorker[] = [];
  const second = answersOf(memory, again);
  await second.answers.answer({ type: "request", id: 2, url: "/7", start: CHUNK_SIZE - 10, end: CHUNK_SIZE + 199, own: true }, second.post);
  const middle = concat(...again.flatMap((m) => (m.type === "data" ? [new Uint8Array(m.bytes)] : [])));
  assert.deepEqual(middle, whole.subarray(CHUNK_SIZE - 10, CHUNK_SIZE + 200));
  held.forget(alias.run);
  assert.equal(memory.place("/7", 0), undefined, "an alias is forgotten with its run");
  assert(memory.place("/7.0", 0));
});

test("a segment that the playlist names is waited for while the player has enough ahead", async () => {
  const { site, memory, held, alias, whole } = await parts();
  const playlist = text("#EXTM3U\n#EXTINF:2,\n../7\n#EXTINF:2,\nhttp://[/\n");
  const signed = await newUpdate(site, { sequence: 1, next: 9, lastFirst: 0, lastNext: 3 }, playlist);
  held.addCopy({ signed, playlist, arrived: performance.now(), edit: null, base: null });
  const ask = (url: string, ahead: number, own = true): { done: Promise<void>; posted: ToWorker[] } => {
    const { answers, post, posted } = answersOf(memory, [], ahead);
    return { done: answers.answer({ type: "request", id: 1, url, start: null, end: null, own }, post), posted };
  };
  const waits = ask("/7", 10_000);
  const short = [ask("/7", 500), ask("/8", 10_000), ask("/7", 10_000, false)];
  await Promise.all(short.map((s) => s.done));
  for (const s of short) assert.deepEqual(s.posted.map((m) => m.type), ["taken", "fetch"], "little ahead, not named, another page's player");
  assert.deepEqual(waits.posted.map((m) => m.type), ["taken"]);
  held.addRun(alias.run, 0);
  held.put(alias.chunk);
  await waits.done;
  assert.deepEqual(concat(...waits.posted.flatMap((m) => (m.type === "data" ? [new Uint8Array(m.bytes)] : []))), whole);
});

test("an alias of what is not here says what to ask for", async () => {
  const { held, alias } = await parts(false);
  held.addRun(alias.run, 0);
  assert.deepEqual(held.unnamed(100), [3], "the alias itself is asked for first");
  held.put(alias.chunk);
  assert.deepEqual(held.unnamed(100), []);
  assert.deepEqual(missingOf(held, "/7", 0, null), { numbers: [0, 1, 2], bytes: CHUNK_SIZE + 800, whole: true });
});

test("a run is late after a part's duration, though its partition goes on", async () => {
  const { site, memory } = await parts();
  const held = memory.of(CONTENT);
  const playlist = list(0);
  const signed = await newUpdate(site, { sequence: 1, next: 9, lastFirst: 9, lastNext: 9 }, playlist);
  held.addCopy({ signed, playlist: text("#EXTM3U\n#EXT-X-PART-INF:PART-TARGET=0.2\n"), arrived: 0, edit: null, base: null });
  held.addRun(await newRun(site, { first: 9, url: "/8.0" }, media(100)), 1000);
  assert.deepEqual(lateNumbers(held, 9, 0, 1200, () => true), []);
  assert.deepEqual(lateNumbers(held, 9, 0, 1201, () => true), [9]);
});

test("a player that asks for the next part is held until its chunks are here", async () => {
  const { site, memory, held } = await parts();
  const show = async (sequence: number, n: number, lastNext: number): Promise<void> => {
    const playlist = list(n);
    const signed = await newUpdate(site, { sequence, next: 99, lastFirst: 0, lastNext }, playlist);
    held.addCopy({ signed, playlist, arrived: performance.now(), edit: null, base: null });
  };
  await show(1, 1, 3);
  const { answers, post, posted } = answersOf(memory);
  const asked = answers.answer({ type: "request", id: 1, url: "/live/index.m3u8?_HLS_msn=8&_HLS_part=1", start: null, end: null, own: true }, post);
  await new Promise((r) => setTimeout(r, 60));
  assert.deepEqual(posted.map((m) => m.type), ["taken"], "held");
  await show(2, 2, 4); // chunk 3 is not here
  assert.equal(choosePlaylist(held, performance.now(), 1)?.signed.update.sequence, 1);
  await new Promise((r) => setTimeout(r, 60));
  assert.deepEqual(posted.map((m) => m.type), ["taken"], "its part is not here");
  const run = await newRun(site, { first: 3, url: "/8.1" }, media(10));
  held.addRun(run, 0);
  held.put(await VerifiedChunk.verify(run, 3, media(10)));
  await asked;
  assert.deepEqual(posted.map((m) => m.type), ["taken", "head", "data", "end"]);
  const late = answersOf(memory);
  const began = performance.now();
  await late.answers.answer({ type: "request", id: 2, url: "/live/index.m3u8?_HLS_msn=8&_HLS_part=2", start: null, end: null, own: true }, late.post);
  assert.equal(late.posted.at(-1)?.type, "fetch", "HTTP answers what does not come");
  assert(performance.now() - began < 3500);
});
