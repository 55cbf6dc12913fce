// The page's decisions, each with its time as a parameter.
import { test } from "node:test";
import assert from "node:assert/strict";
import { choosePlaylist } from "../src/page/choose.ts";
import { deadline, mustFetch } from "../src/page/deadline.ts";
import { fingerprintOf } from "../src/page/fingerprint.ts";
import { Interest } from "../src/page/interest.ts";
import type { Copy } from "../src/page/held.ts";
import { meansOf, UPLOAD } from "../src/page/means.ts";
import { listOf } from "../src/page/numbers.ts";
import { Player } from "../src/page/player.ts";
import { Hold } from "../src/page/hold.ts";
import { ASKED, PAST, SendQueue, type Owed } from "../src/page/queue.ts";
import { choose, Repair } from "../src/page/repair.ts";
import type { Link } from "../src/page/link.ts";
import { Memory } from "../src/page/memory.ts";
import { Neighbour } from "../src/page/neighbour.ts";
import { stunServers } from "../src/page/stun.ts";
import type { Source } from "../src/wire/control.ts";
import type { Frame } from "../src/wire/frame.ts";
import { CONTENT, newSite, newUpdate, type Up } from "./make.ts";

test("the deadline is the end of what the player has, half a segment if unknown", () => {
  const w = { now: 1000, asked: 900, ahead: 3000, target: 2000 };
  assert.equal(deadline(w), 4000);
  assert.equal(deadline({ ...w, ahead: null }), 1900);
  assert.equal(deadline({ ...w, ahead: 60_000 }), 5900, "no player waits for ever");
});

test("HTTP begins at the last moment, not before", () => {
  const http = { rate: 100, delay: 50 }; // 100 bytes a ms
  const w = { asked: 0, ahead: 3000, target: 2000, missing: 100_000, http }; // takes 1000 + 50 + margin 500
  assert.equal(mustFetch({ ...w, now: 0 }), false);
  assert.equal(mustFetch({ ...w, now: 1000, ahead: 1600 }), false);
  assert.equal(mustFetch({ ...w, now: 1000, ahead: 1550 }), true);
  assert.equal(mustFetch({ ...w, target: 400, now: 1000, ahead: 1250 }), false, "short parts leave less room");
  assert.equal(mustFetch({ ...w, now: 1000, ahead: 0 }), true);
  assert.equal(mustFetch({ ...w, now: 1000, missing: 1_000_000 }), false, "a slow line is not asked for all that is about to come");
  assert.equal(mustFetch({ ...w, now: 1000, ahead: 1550, missing: 1_000_000 }), true);
  assert.equal(mustFetch({ ...w, now: 1000, ahead: 0, missing: 0 }), false, "nothing lacks");
});

test("the queue gives the most urgent, drops what is late, and is bounded", () => {
  const q = new SendQueue();
  const owe = (number: number, priority: number, deadline: number): Owed => ({ content: CONTENT, number, priority, deadline, since: 0 });
  for (const o of [owe(1, 1, 500), owe(2, 1, 300), owe(3, 9, 900), owe(4, 9, 50)]) assert(q.push(o, 0));
  assert.equal(q.push(owe(1, 9, 1), 0), false, "owed already");
  assert.equal(q.behind(70), 70);
  const late = new SendQueue();
  late.push(owe(1, PAST, 900), 0);
  late.push(owe(2, ASKED, 900), 0);
  assert.equal(late.behind(70), 0, "the past may wait, and what was asked for is no measure");
  assert.deepEqual([q.take(100)?.number, q.take(100)?.number, q.take(400)?.number, q.take(400)], [3, 2, 1, undefined]);
  for (let n = 0; n < 2000; n++) q.push(owe(n, 1, 1000 + n), 0);
  assert.equal(q.size, 512);
  assert.equal(q.take(0)?.number, 0, "the least urgent were left out");
});

test("the queue counts for how long something waited", () => {
  const q = new SendQueue();
  const owe = (number: number): Owed => ({ content: CONTENT, number, priority: 1, deadline: 9000, since: 0 });
  assert.equal(q.busy(100), 0);
  q.push(owe(1), 200);
  q.push(owe(2), 300);
  q.take(400);
  assert.equal(q.busy(500), 300);
  q.take(600);
  assert.equal(q.busy(2000), 100, "since it was last asked, and not while nothing waited");
});

test("a channel holds 150 ms of its link's rate, and tells how long the oldest has waited", () => {
  const chunk = 16 << 10;
  const hold = new Hold();
  assert(hold.room(0, chunk) && hold.room(chunk, chunk) && !hold.room(chunk + 1, chunk), "32 KiB at least");
  hold.rate = 4e6;
  assert.equal(hold.low, 75_000 - chunk);
  hold.rate = 1e9;
  assert(hold.room(240 << 10, chunk) && !hold.room(241 << 10, chunk), "256 KiB at most");
  assert.equal(hold.behind(0, 50), 0, "nothing is there");
  hold.hand(100, 100, 1000);
  hold.hand(100, 200, 1400);
  assert.equal(hold.behind(200, 2000), 1000);
  assert.equal(hold.behind(150, 2100), 1100, "half of the first is there still");
  assert.equal(hold.behind(100, 2200), 800, "the first has gone");
  assert.equal(hold.behind(0, 2300), 0);
});

test("players see the newest playlist whose last segment is held", async () => {
  const site = await newSite();
  const text = new TextEncoder().encode("#EXTM3U\n");
  const copy = async (u: Up, arrived: number): Promise<Copy> => ({
    signed: await newUpdate(site, u, text), playlist: text, arrived, edit: null, base: null,
  });
  const old = await copy({ sequence: 1, next: 10, lastFirst: 5, lastNext: 10 }, 0);
  const fresh = await copy({ sequence: 2, next: 20, lastFirst: 10, lastNext: 20 }, 2000);
  const held = (next: number) => ({ copies: [old, fresh], hasAll: (_: number, to: number) => to <= next });
  const shown = (next: number, now: number, origin = 1): number | undefined =>
    choosePlaylist(held(next), now, origin)?.signed.update.sequence;
  assert.equal(shown(10, 2100), 1, "the new one's segment is not here");
  assert.equal(shown(20, 2100), 2);
  assert.equal(shown(10, 3000), 2, "half a target duration after it came");
  assert.equal(shown(0, 2100), 1, "the old one has waited long enough");
  assert.equal(shown(20, 5001), undefined, "stale: no newer one for 1.5 target durations");
  assert.equal(shown(20, 2100, 1e12 + 1), undefined, "expired on the origin's clock");
  const last = await copy({ sequence: 3, next: 20, lastFirst: 10, lastNext: 20, ended: true }, 0);
  assert(choosePlaylist({ copies: [last], hasAll: () => true }, 1e6, 1), "an ended stream has no newer one");
  assert.equal(choosePlaylist({ copies: [], hasAll: () => true }, 0, 0), null);
});

test("who may be asked: standby, then those who have it, then the parent", () => {
  const neighbour = (id: string, next: number): Neighbour =>
    ({ id, ranges: new Map([[CONTENT, { content: CONTENT, partitions: 15, first: 0, next }]]) }) as unknown as Neighbour;
  const [parent, standby, knows, lacks] = [neighbour("p", 0), neighbour("s", 0), neighbour("k", 9), neighbour("l", 3)];
  const sources = [
    { content: CONTENT, partitions: 2, from: "p", standby: false },
    { content: CONTENT, partitions: 2, from: "s", standby: true },
  ];
  const got = choose({ content: CONTENT, k: 4 }, 5, sources, [parent, knows, lacks, standby]).map((n) => n.id);
  assert.deepEqual(got, ["s", "k", "p"]);
  assert.deepEqual(choose({ content: CONTENT, k: 4 }, 6, sources, [parent, standby]), [], "another partition");
});

test("wishes of the viewer win over the host", () => {
  const w = { relay: "on", choice: null, globalPrivacyControl: false, saveData: false, cellular: false };
  const relays = (change: object): boolean => {
    const m = meansOf({ ...w, ...change });
    assert.equal(m.upload, m.relay ? UPLOAD : 0);
    return m.relay;
  };
  assert.equal(relays({}), true);
  for (const no of [{ choice: "off" }, { globalPrivacyControl: true }, { saveData: true }, { cellular: true }]) assert.equal(relays(no), false);
  assert.equal(relays({ relay: "off", choice: "on" }), false);
  assert.equal(relays({ relay: "ask" }), false);
  assert.equal(relays({ relay: "ask", choice: "on" }), true);
});

test("a description tells exactly one fingerprint", () => {
  const hex = Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, "0").toUpperCase()).join(":");
  const line = `a=fingerprint:sha-256 ${hex}\r\n`;
  assert.equal(fingerprintOf(`v=0\r\n${line}m=application\r\n${line}`)?.[31], 31);
  assert.equal(fingerprintOf("v=0\r\n"), null);
  assert.equal(fingerprintOf(line + line.replace("00:01", "99:01")), null, "two different ones");
  assert.equal(fingerprintOf("a=fingerprint:sha-256 00:01\r\n"), null);
});

test("numbers in a query", () => {
  assert.equal(listOf([12, 7, 9, 10, 11, 9]), "7,9-12");
  assert.equal(listOf([]), "");
});

test("interest lasts a while after the last request", () => {
  const i = new Interest();
  i.asked("/live/index.m3u8", 0);
  i.setContents([{ id: CONTENT, url: "/live/index.m3u8", k: 4, rate: 1, epoch: 1, target: 6000 }]);
  assert.deepEqual(i.wanted(17_000), [CONTENT]);
  assert.deepEqual(i.wanted(18_001), []);
  i.touched(CONTENT, 18_000);
  assert.deepEqual(i.wanted(20_000), [CONTENT]);
});

test("a rendition that the player has left is soon not wanted, a second track is", () => {
  const i = new Interest();
  const content = (id: string, url: string) => ({ id, url, k: 4, rate: 1, epoch: 1, target: 2000 });
  i.setContents([content("a", "/high.m3u8"), content("b", "/low.m3u8")]);
  for (const [url, at] of [["/high.m3u8", 0], ["/low.m3u8", 900], ["/high.m3u8", 2000], ["/low.m3u8", 2900]] as const) i.asked(url, at);
  assert.deepEqual(i.wanted(3000), ["a", "b"], "both are polled");
  i.asked("/low.m3u8", 4500);
  assert.deepEqual(i.wanted(4500), ["a", "b"]);
  i.asked("/low.m3u8", 4501);
  assert.deepEqual(i.wanted(4501), ["b"]);
  assert.deepEqual(i.wanted(9000), ["b"], "the last one is kept as ever");
});

test("STUN is asked at the name by which the page came", () => {
  assert.deepEqual(stunServers([":3478", "stun.example.org:3479"], "tv.example.org"), [
    "stun:tv.example.org:3478",
    "stun:stun.example.org:3479",
  ]);
  assert.deepEqual(stunServers([":3478"], "[2001:db8::1]"), ["stun:[2001:db8::1]:3478"]);
  assert.deepEqual(stunServers([":3478"], "localhost"), []);
  assert.deepEqual(stunServers([":3478"], "127.0.0.1"), []);
});

test("the membership waits for the first picture, and not for ever", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  class Media {}
  Object.assign(globalThis, { HTMLMediaElement: Media });
  const listeners = new Map<string, (e: unknown) => void>();
  const doc = { addEventListener: (type: string, f: (e: unknown) => void) => listeners.set(type, f) } as unknown as Document;
  const begun = (p: Player): { yes: boolean } => {
    const b = { yes: false };
    void p.shown(1000).then(() => (b.yes = true));
    return b;
  };
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 8; i++) await null; // promises that wait for each other
  };

  const player = new Player();
  player.watch(doc);
  const first = begun(player);
  t.mock.timers.tick(999);
  await turn();
  assert.equal(first.yes, false, "there is no picture yet");
  listeners.get("loadeddata")?.({ target: new Media() });
  await turn();
  assert.equal(first.yes, true);
  const second = begun(player);
  await turn();
  assert.equal(second.yes, true, "the picture is there already");

  const silent = begun(new Player());
  t.mock.timers.tick(1000);
  await turn();
  assert.equal(silent.yes, true);
});

test("a neighbour brings what follows what it has sent without a halt, and nothing else", () => {
  const n = new Neighbour({ peer: "n", key: new Uint8Array(32), role: "booster", offer: false });
  const held = { content: CONTENT, k: 4, pause: 1500 };
  assert.equal(n.brings(held, 0, 0), null, "nothing came");
  n.bring(held, 4, 500, false);
  assert.equal(n.brings(held, 0, 600), null, "it was asked for what came");
  n.bring(held, 8, 1000, true);
  n.bring(held, 12, 2000, false);
  assert.equal(n.brings(held, 0, 2500), 8, "since it began by itself");
  assert.equal(n.brings(held, 1, 2500), null, "another partition");
  assert.equal(n.brings(held, 0, 3500), null, "it came to a halt");
  n.bring(held, 20, 3500, true);
  assert.equal(n.brings(held, 0, 3600), 20, "a new stretch begins");
});

test("who was asked has longer to answer if it gives a sign of life", () => {
  const repair = new Repair();
  const asked: string[] = [];
  const heard = { a: 0, b: 0 };
  const open = (["a", "b"] as const).map((id) => {
    const n = new Neighbour({ peer: id, key: new Uint8Array(32), role: "booster", offer: false });
    n.rtt = 20;
    n.link = { send: () => asked.push(id), get heard() { return heard[id]; } } as unknown as Link;
    return n;
  });
  const held = new Memory().of(CONTENT, 1);
  const sources: Source[] = ["a", "b"].map((from) => ({ content: CONTENT, partitions: 1, from, standby: true }));
  const at = (now: number): string => {
    repair.ask(held, [7], sources, open, now);
    return asked.join("");
  };
  assert.equal(at(1000), "a");
  heard.a = 1100;
  assert.equal(at(1200), "a", "it is there");
  assert.equal(at(1599), "a");
  assert.equal(at(1600), "ab", "it has had its time");
  assert.equal(at(1749), "ab");
  assert.equal(at(2750), "aba", "nothing came from that one: all are asked once more");
  heard.a = 2800;
  repair.missing(CONTENT, [7]);
  assert.equal(at(2810), "abab", "it has said that it lacks it");
});

test("a chunk that comes twice is late if somebody else was asked for it", () => {
  const repair = new Repair();
  const asked: Frame[] = [];
  const open = ["a", "b"].map((id) => {
    const n = new Neighbour({ peer: id, key: new Uint8Array(32), role: "booster", offer: false });
    n.link = { send: (f: Frame) => asked.push(f) } as unknown as Link;
    return n;
  });
  const held = new Memory().of(CONTENT, 1);
  const from = (id: string, standby: boolean): Source => ({ content: CONTENT, partitions: 1, from: id, standby });
  repair.ask(held, [7], [from("a", false), from("b", true)], open, 0);
  assert.equal(asked.length, 1, "the standby is asked");
  assert.equal(repair.wasRepaired(CONTENT, 7, "a"), false, "it has not come yet");
  assert.equal(repair.wasAsked(CONTENT, 7, "b", 100), false);
  assert.equal(repair.wasRepaired(CONTENT, 7, "a"), true);
  assert.equal(repair.wasRepaired(CONTENT, 7, "b"), false, "who was asked");
  assert.equal(repair.wasRepaired(CONTENT, 8, "a"), false, "two parents of one partition are no fault");
});
