// Control messages by events and posts, with a browser that only looks like one.
import { test } from "node:test";
import assert from "node:assert/strict";
import { openEvents, type EventWorld } from "../src/page/channel.ts";

function world() {
  const handlers = new Map<string, (e: { data: string }) => void>();
  const source = {
    closed: 0,
    onerror: null as ((e: Event) => void) | null,
    addEventListener: (type: string, f: (e: { data: string }) => void) => void handlers.set(type, f),
    close: () => void source.closed++,
  };
  const posts: { url: string; body: string; answer: (ok: boolean) => void }[] = [];
  const w = {
    source: () => source,
    fetch: (url: string, init: RequestInit) =>
      new Promise<{ ok: boolean }>((resolve) => posts.push({ url, body: String(init.body), answer: (ok) => resolve({ ok }) })),
  };
  return { w: w as unknown as EventWorld, source, posts, say: (type: string, data: string) => handlers.get(type)?.({ data }) };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

test("messages are posted in order, one post at a time, once the stream has its name", async () => {
  const { w, posts, say } = world();
  const c = openEvents("/.tuber/control", w);
  c.send("a");
  assert.equal(posts.length, 0, "there is no stream yet");
  say("stream", "x/y");
  assert.deepEqual(posts.map((p) => [p.url, p.body]), [["/.tuber/control/send?stream=x%2Fy", "a\n"]]);
  c.send("b");
  c.send("c");
  await settle();
  assert.equal(posts.length, 1, "the first is under way");
  posts[0]?.answer(true);
  await settle();
  assert.deepEqual(posts.map((p) => p.body), ["a\n", "b\nc\n"]);
});

test("what is longer than one post goes in several", async () => {
  const { w, posts, say } = world();
  const c = openEvents("/c", w);
  const long = "x".repeat(40_000);
  for (let i = 0; i < 3; i++) c.send(long);
  say("stream", "s");
  for (let i = 0; i < 3; i++) {
    assert.equal(posts[i]?.body, long + "\n");
    posts[i]?.answer(true);
    await settle();
  }
  assert.equal(posts.length, 3);
});

test("messages come whole, and the last words of this side still go", async () => {
  const { w, source, posts, say } = world();
  const c = openEvents("/c", w);
  const got: string[] = [];
  let closed = 0;
  c.onmessage = (text) => got.push(text);
  c.onclose = () => closed++;
  say("stream", "s");
  say("message", "hello");
  c.send("leave");
  c.close();
  say("message", "too late");
  assert.deepEqual(got, ["hello"]);
  assert.deepEqual([posts[0]?.body, closed], ["leave\n", 0]);
  posts[0]?.answer(true);
  await settle();
  assert.deepEqual([closed, source.closed > 0], [1, true]);
  c.send("nothing");
  c.close();
  await settle();
  assert.deepEqual([posts.length, closed], [1, 1]);
});

test("a stream that breaks, a post that is refused and a reader that is gone end the channel once", async () => {
  for (const way of ["error", "refused", "full"]) {
    const { w, source, posts, say } = world();
    const c = openEvents("/c", w);
    let closed = 0;
    c.onclose = () => closed++;
    if (way !== "full") say("stream", "s");
    if (way === "error") source.onerror?.(new Event("error"));
    if (way === "refused") c.send("a");
    posts[0]?.answer(false);
    if (way === "full") for (let i = 0; i < 600; i++) c.send("a");
    await settle();
    assert.deepEqual([way, closed, source.closed > 0], [way, 1, true]);
  }
});
