// The page's end of the handshake, as Go's control/handshake_test.go has it: who
// is not the site's planner is not spoken to.
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Channel } from "../src/page/channel.ts";
import type { Identity } from "../src/page/identity.ts";
import { Session } from "../src/page/session.ts";
import { sha256, toHex, Writer } from "../src/wire/bytes.ts";
import { decode, encode, type MessageOf } from "../src/wire/control.ts";
import { check, importKey, joinStatement, sign, welcomeStatement } from "../src/wire/sign.ts";
import { newSite, seal, type Site } from "./make.ts";

const NOW = 1_800_000_000_000;
const raw = async (k: CryptoKey): Promise<Uint8Array> => new Uint8Array(await crypto.subtle.exportKey("raw", k));

/** Both sides of one conversation; a test spoils what it likes before they meet. */
type Meeting = {
  site: Site; // that signed the certificate
  pinned: CryptoKey; // that the page expects
  planner: Site; // who speaks
  certified: Site; // whom the certificate names
  welcomer: Site; // who signs the welcome
  identity: Identity;
  expires: number;
  spoilChallenge: (c: MessageOf<"challenge">) => void;
  spoilWelcome: (w: MessageOf<"welcome">) => void;
};

async function newMeeting(): Promise<Meeting> {
  const site = await newSite();
  const peer = await newSite();
  const key = await raw(peer.public);
  const identity = { key: peer.key, public: key, id: toHex((await sha256(key)).subarray(0, 16)) };
  const planner = await newSite();
  return {
    site, pinned: site.public, planner, certified: planner, welcomer: planner, identity, expires: NOW + 1000,
    spoilChallenge: () => undefined, spoilWelcome: () => undefined,
  };
}

const FINGERPRINT = new Uint8Array(32).fill(5);

/** The planner's end of a channel: its challenge, then its welcome of whoever proves a key. */
class Planner implements Channel {
  onmessage: (text: string) => void = () => undefined;
  onclose: () => void = () => undefined;
  joins = 0;
  closed = false;
  readonly #m: Meeting;
  readonly #nonce = crypto.getRandomValues(new Uint8Array(32));

  constructor(m: Meeting) {
    this.#m = m;
    void this.#challenge();
  }

  async #challenge(): Promise<void> {
    const planner = await raw(this.#m.planner.public);
    const statement = new Writer().bytes(await raw(this.#m.certified.public)).u64(3).u64(this.#m.expires).done();
    const certificate = await seal(this.#m.site, "certificate", statement);
    const c: MessageOf<"challenge"> = { type: "challenge", version: 1, oldest: 1, nonce: this.#nonce, planner, certificate, epoch: 3, now: NOW };
    this.#m.spoilChallenge(c);
    this.onmessage(encode(c));
  }

  send(text: string): void {
    this.joins++;
    void this.#welcome(text);
  }

  async #welcome(text: string): Promise<void> {
    const j = decode(text);
    assert(j?.type === "join");
    const planner = await raw(this.#m.planner.public);
    await check(await importKey(j.key), "join", joinStatement(this.#nonce, planner, FINGERPRINT), j.signature);
    const signature = await sign(this.#m.welcomer.key, "welcome", welcomeStatement(j.nonce, j.key));
    const w: MessageOf<"welcome"> = { type: "welcome", id: this.#m.identity.id, signature, stun: [], name: "" };
    this.#m.spoilWelcome(w);
    this.onmessage(encode(w));
  }

  close(): void {
    this.closed = true;
    this.onclose();
  }
}

function meet(m: Meeting): { session: Promise<Session>; planner: Planner } {
  const planner = new Planner(m);
  const session = Session.open({
    open: () => planner, site: m.pinned, identity: m.identity, fingerprint: FINGERPRINT, ticket: "t", originNow: () => NOW, join: {},
  });
  return { session, planner };
}

test("the site's planner is believed", async () => {
  const m = await newMeeting();
  const { session, planner } = meet(m);
  assert(await session);
  assert.equal(planner.joins, 1);
  assert(!planner.closed);
});

/** Each with what is said of it, and whether it is found out before the page joins. */
const impostors: { name: string; says: RegExp; joins: number; spoil: (m: Meeting) => void | Promise<void> }[] = [
  { name: "site of another host", says: /certificate: signature/, joins: 0, spoil: async (m) => void (m.pinned = (await newSite()).public) },
  { name: "certificate of another planner", says: /another key/, joins: 0, spoil: async (m) => void (m.certified = await newSite()) },
  { name: "certificate of another epoch", says: /another epoch/, joins: 0, spoil: (m) => void (m.spoilChallenge = (c) => void c.epoch++) },
  { name: "expired certificate", says: /expired/, joins: 0, spoil: (m) => void (m.expires = NOW - 1) },
  { name: "short nonce", says: /nonce/, joins: 0, spoil: (m) => void (m.spoilChallenge = (c) => void (c.nonce = c.nonce.slice(0, 8))) },
  { name: "welcome by another key", says: /welcome: signature/, joins: 1, spoil: async (m) => void (m.welcomer = await newSite()) },
  { name: "welcome of another peer", says: /another peer/, joins: 1, spoil: (m) => void (m.spoilWelcome = (w) => void (w.id = "00".repeat(16))) },
];

for (const c of impostors) {
  test(`an impostor: ${c.name}`, async () => {
    const m = await newMeeting();
    await c.spoil(m);
    const { session, planner } = meet(m);
    await assert.rejects(session, c.says);
    assert.equal(planner.joins, c.joins);
    assert(planner.closed, "the channel is closed");
  });
}
