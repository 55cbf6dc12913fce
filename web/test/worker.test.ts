// The worker, with pages and events that only look like the browser's.
import { test } from "node:test";
import assert from "node:assert/strict";
import { parseRange } from "../src/sw/range.ts";
import { install } from "../src/sw/own.ts";
import type { FetchEvent, MessageToWorker, Scope } from "../src/sw/scope.ts";
import { serve } from "../src/sw/serve.ts";
import { BUSY_MS, TAKE_MS, type Config, type ToPage, type ToWorker } from "../src/port.ts";
import { equal } from "../src/wire/bytes.ts";
import { media } from "./make.ts";

const origin = "https://site.example";
const body = media(50_000);
const config: Config = { prefix: "/.tuber/", build: "b1", site: "", patterns: ["\\.(ts|m3u8)(\\?|$)"], relay: "on", enabled: true };

type Fake = { scope: Scope; fetched: Request[]; unregistered: number };

/** A site that answers ranges, as any web server does. */
function site(): Fake {
  const fake: Fake = { fetched: [], unregistered: 0, scope: null as unknown as Scope };
  fake.scope = {
    location: { origin, pathname: "/.tuber/sw.js" },
    clients: { claim: () => Promise.resolve(), matchAll: () => Promise.resolve([]) },
    registration: { active: null, waiting: null, unregister: () => Promise.resolve(++fake.unregistered > 0) },
    fetch: (input, init) => {
      const r = new Request(input, init);
      fake.fetched.push(r);
      const m = /^bytes=(\d+)-(\d*)$/.exec(r.headers.get("Range") ?? "");
      if (!m) return Promise.resolve(new Response(body.slice(), { headers: { "Content-Length": String(body.length) } }));
      const [from, to] = [Number(m[1]), m[2] ? Number(m[2]) : body.length - 1];
      const headers = { "Content-Range": `bytes ${from}-${to}/${body.length}` };
      return Promise.resolve(new Response(body.slice(from, to + 1), { status: 206, headers }));
    },
  };
  return fake;
}

type Answer = (m: ToPage & { type: "request" }, post: (m: ToWorker) => void) => void;

/** A page with a port; every message it gets is kept. */
function greet(served: ReturnType<typeof serve>, answer: Answer, build = "b1"): { got: ToPage[]; close(): void } {
  const { port1, port2 } = new MessageChannel();
  const got: ToPage[] = [];
  port1.onmessage = (e: MessageEvent<ToPage>) => {
    got.push(e.data);
    if (e.data.type === "request") answer(e.data, (m) => port1.postMessage(m));
  };
  const message: MessageToWorker = {
    data: { tuber: "port", build, leading: true },
    ports: [port2],
    source: { id: "page" },
    stopImmediatePropagation: () => undefined,
  };
  served.onMessage(message);
  return { got, close: () => port1.close() };
}

type Asked = { response: Promise<Response> | null; stopped: boolean };

function ask(served: ReturnType<typeof serve>, url: string, init?: RequestInit & { navigate?: boolean; client?: string }): Asked {
  const request = new Request(new URL(url, origin), init);
  const out: Asked = { response: null, stopped: false };
  const e: FetchEvent = {
    request: init?.navigate ? ({ mode: "navigate", url: request.url, method: "GET" } as Request) : request,
    clientId: init?.client ?? "page",
    respondWith: (r) => void (out.response = r),
    waitUntil: () => undefined,
    stopImmediatePropagation: () => void (out.stopped = true),
  };
  served.onFetch(e);
  return out;
}

async function bytesOf(a: Asked): Promise<Uint8Array> {
  assert(a.response, "the worker answers");
  return new Uint8Array(await (await a.response).arrayBuffer());
}

const head = (id: number, change: object = {}): ToWorker =>
  ({ type: "head", id, status: 200, headers: [["Content-Type", "video/mp2t"]], from: 0, total: body.length, ...change }) as ToWorker;
const data = (id: number, from: number, to: number): ToWorker => ({ type: "data", id, bytes: body.slice(from, to).buffer });

test("only matching same-origin GETs are taken, and synchronously", () => {
  const served = serve(config, site().scope, true);
  const taken = (url: string, init?: RequestInit): boolean => ask(served, url, init).response !== null;
  assert.equal(taken("/live/1.ts"), true);
  assert.equal(taken("/live/1.ts?x=1"), true);
  assert.equal(taken("/index.html"), false);
  assert.equal(taken("/.tuber/chunks/1.ts"), false);
  assert.equal(taken("https://elsewhere.example/1.ts"), false);
  assert.equal(taken("/1.ts", { method: "POST" }), false);
  assert.equal(taken("/1.ts", { headers: { Authorization: "x" } }), false);
});

test("what a page gives reaches the player", async () => {
  const fake = site();
  const served = serve(config, fake.scope, true);
  const page = greet(served, (q, post) => {
    post({ type: "taken", id: q.id });
    post(head(q.id));
    post(data(q.id, 0, 16_384));
    post(data(q.id, 16_384, 50_000));
    post({ type: "end", id: q.id });
  });
  const a = ask(served, "/live/1.ts");
  assert(equal(await bytesOf(a), body));
  assert.equal((await a.response)?.headers.get("Content-Type"), "video/mp2t");
  assert.equal(fake.fetched.length, 0);
  await new Promise((resolve) => setTimeout(resolve, 20)); // messages are on their way
  assert(page.got.some((m) => m.type === "pull"), "pieces come as they are pulled");
  page.close();
});

test("a page that knows nothing, or is silent, costs no more than its time", async () => {
  const fake = site();
  const served = serve(config, fake.scope, true);
  const knows = greet(served, (q, post) => post({ type: "fetch", id: q.id }));
  assert(equal(await bytesOf(ask(served, "/live/1.ts")), body));
  knows.close();
  const silent = greet(served, () => undefined);
  const began = performance.now();
  assert(equal(await bytesOf(ask(served, "/live/1.ts")), body));
  const first = performance.now() - began;
  assert.equal(fake.fetched.length, 2);
  assert(equal(await bytesOf(ask(served, "/live/2.ts")), body));
  const second = performance.now() - began - first;
  assert(first >= BUSY_MS - 5, `its own player waits: ${first} ms`); // timers may be a little early
  assert(second < first, `but not twice: ${second} ms after ${first} ms`);
  assert.equal(fake.fetched.length, 3);
  silent.close();
});

test("a busy page is waited for by its own player, not by another page's", async () => {
  const fake = site();
  const served = serve(config, fake.scope, true);
  const page = greet(served, (q, post) => {
    setTimeout(() => {
      post({ type: "taken", id: q.id });
      post(head(q.id));
      post(data(q.id, 0, 50_000));
      post({ type: "end", id: q.id });
    }, 5 * TAKE_MS);
  });
  assert(equal(await bytesOf(ask(served, "/live/1.ts")), body));
  assert.equal(fake.fetched.length, 0, "the page answered, late");
  assert(equal(await bytesOf(ask(served, "/live/1.ts", { client: "other" })), body));
  assert.equal(fake.fetched.length, 1, "the site answered");
  assert(equal(await bytesOf(ask(served, "/live/2.ts")), body));
  assert.equal(fake.fetched.length, 1, "and that says nothing about its own player's requests");
  page.close();
});

test("a body whose page gives up is finished by a range from the byte reached", async () => {
  for (const [range, from, to] of [[null, 0, 50_000], ["bytes=1000-39999", 1000, 40_000]] as const) {
    const fake = site();
    const served = serve(config, fake.scope, true);
    const page = greet(served, (q, post) => {
      post(head(q.id, { from, status: range ? 206 : 200 }));
      post(data(q.id, from, 20_000));
      post({ type: "fetch", id: q.id });
    });
    const a = ask(served, "/live/1.ts", range ? { headers: { Range: range } } : {});
    assert(equal(await bytesOf(a), body.slice(from, to)), "byte-exact");
    assert.equal(fake.fetched[0]?.headers.get("Range"), `bytes=20000-${range ? 39_999 : ""}`);
    page.close();
  }
});

test("a page that goes midway leaves the body whole; a tail that cannot fit is an error", async () => {
  const fake = site();
  const served = serve(config, fake.scope, true);
  const page = greet(served, (q, post) => {
    post(head(q.id));
    post(data(q.id, 0, 123));
    post({ type: "gone" });
  });
  assert(equal(await bytesOf(ask(served, "/live/1.ts")), body));
  page.close();
  const changed = greet(served, (q, post) => {
    post(head(q.id, { total: 60_000 }));
    post({ type: "fetch", id: q.id });
  });
  await assert.rejects(bytesOf(ask(served, "/live/1.ts")), undefined, "another length is another body");
  changed.close();
});

test("a server that ignores ranges still gives the exact tail", async () => {
  const fake = site();
  const plain = fake.scope.fetch;
  fake.scope.fetch = (input) => plain(typeof input === "string" ? input : input.url);
  const served = serve(config, fake.scope, true);
  const page = greet(served, (q, post) => {
    post(head(q.id));
    post(data(q.id, 0, 17));
    post({ type: "fetch", id: q.id });
  });
  assert(equal(await bytesOf(ask(served, "/live/1.ts")), body));
  page.close();
});

test("a page of another build is not asked", async () => {
  const fake = site();
  const served = serve(config, fake.scope, true);
  const page = greet(served, () => undefined, "b2");
  assert(equal(await bytesOf(ask(served, "/live/1.ts")), body));
  assert.equal(page.got.length, 0);
  page.close();
});

test("an origin that is down is what the player sees, never a rejection", async () => {
  const fake = site();
  fake.scope.fetch = () => Promise.reject(new TypeError("down"));
  const a = ask(serve(config, fake.scope, true), "/live/1.ts");
  assert.equal((await a.response)?.type, "error");
});

test("inside a site's own worker only what can be answered is taken", () => {
  const served = serve(config, site().scope, false);
  const before = ask(served, "/live/1.ts");
  assert.deepEqual([before.response, before.stopped], [null, false]);
  const page = greet(served, (q, post) => post({ type: "fetch", id: q.id }));
  const after = ask(served, "/live/1.ts");
  assert(after.response !== null && after.stopped);
  assert.equal(ask(served, "/index.html").stopped, false);
  page.close();
});

test("tuber=off and PREFIX off unregister, and pass", () => {
  const fake = site();
  const served = serve(config, fake.scope, true);
  for (const url of ["/?tuber=off", "/.tuber/off"]) assert.equal(ask(served, url, { navigate: true }).response, null);
  assert.equal(fake.unregistered, 2);
  ask(served, "/watch", { navigate: true });
  assert.equal(fake.unregistered, 2);
});

test("the keepalive says whether the port is known", async () => {
  const served = serve(config, site().scope, true);
  const known = async (): Promise<string | null | undefined> =>
    (await ask(served, "/.tuber/keepalive").response)?.headers.get("Tuber-Port");
  assert.equal(await known(), "0");
  const page = greet(served, () => undefined);
  assert.equal(await known(), "1");
  page.close();
});

test("ranges that are answered here", () => {
  const table: [string | null, unknown][] = [
    [null, null],
    ["bytes=0-", { start: 0, end: null }],
    ["bytes=5-9", { start: 5, end: 9 }],
    ["bytes=9-5", "other"],
    ["bytes=-5", "other"],
    ["bytes=0-1,3-4", "other"],
    ["items=0-1", "other"],
  ];
  for (const [header, want] of table) assert.deepEqual(parseRange(header), want, String(header));
});

test("an installation gives way to the site's own worker, not to an older one of ours", async () => {
  const ours = { scriptURL: `${origin}/.tuber/sw.js` };
  const theirs = { scriptURL: `${origin}/own-sw.js` };
  const tried = async (active: typeof ours | null, waiting: typeof ours | null): Promise<number> => {
    const { scope } = site();
    let skipped = 0;
    await install(config, { ...scope, registration: { ...scope.registration, active, waiting }, skipWaiting: () => Promise.resolve(void ++skipped) });
    return skipped;
  };
  assert.equal(await tried(null, null), 1);
  assert.equal(await tried(ours, null), 1);
  await assert.rejects(tried(theirs, null), /own worker/);
  await assert.rejects(tried(null, theirs), /own worker/);
  await assert.rejects(tried(ours, theirs), /own worker/);
});
