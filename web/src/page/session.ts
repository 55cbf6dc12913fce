// One conversation with the planner, both ends proved (wire/doc.go, Control).
import { equal } from "../wire/bytes.ts";
import { openCertificate } from "../wire/certificate.ts";
import { OLDEST, VERSION } from "../wire/constants.ts";
import { changedPlan, decode, encode, type Message, type MessageOf, type Outgoing, type PeerPlan } from "../wire/control.ts";
import { check, importKey, joinStatement, sign, welcomeStatement } from "../wire/sign.ts";
import type { Channel } from "./channel.ts";
import type { Identity } from "./identity.ts";

const HANDSHAKE_MS = 10_000;
const ALIVE_MS = 10_000;
const SILENCE_MS = 30_000; // the lease: a planner silent for longer is gone

/** The planner ended the membership; the code says whether trying again helps. */
export class RefusedError extends Error {
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

export type SessionOptions = {
  open: () => Channel;
  site: CryptoKey;
  identity: Identity;
  fingerprint: Uint8Array;
  ticket: string;
  originNow: () => number;
  join: Pick<Outgoing & { type: "join" }, "means" | "ranges" | "links" | "plan">;
};

/** A welcomed conversation. */
export class Session {
  onmessage: (m: Message) => void = () => undefined;
  readonly #channel: Channel;
  readonly #inbox: Inbox;
  #heard = performance.now();

  private constructor(channel: Channel, inbox: Inbox) {
    this.#channel = channel;
    this.#inbox = inbox;
  }

  /** Resolves once the planner proved its key. Throws RefusedError if it does not want this peer. */
  static async open(o: SessionOptions): Promise<Session> {
    const channel = o.open();
    const inbox = new Inbox(channel);
    const timer = setTimeout(() => channel.close(), HANDSHAKE_MS);
    try {
      const challenge = await inbox.expect("challenge");
      await proveChallenge(o, challenge);
      const nonce = crypto.getRandomValues(new Uint8Array(32));
      channel.send(encode(await joinOf(o, challenge, nonce)));
      const welcome = await inbox.expect("welcome");
      const planner = await importKey(challenge.planner);
      await check(planner, "welcome", welcomeStatement(nonce, o.identity.public), welcome.signature);
      if (welcome.id !== o.identity.id) throw new Error("welcome: of another peer");
      return new Session(channel, inbox);
    } catch (e) {
      channel.close();
      throw e;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hands out messages, those that came meanwhile first, until the conversation ends. */
  async run(): Promise<void> {
    const beat = setInterval(() => {
      if (performance.now() - this.#heard > SILENCE_MS) this.#channel.close();
      else this.send({ type: "alive" });
    }, ALIVE_MS);
    let plan: PeerPlan | null = null; // as it was told last
    try {
      for (;;) {
        const m = await this.#inbox.next();
        if (!m) return;
        this.#heard = performance.now();
        if (m.type === "refused") throw new RefusedError(m.code, m.sentence);
        const said: Message = m.type === "change" ? { type: "plan" as const, ...changedPlan(plan, m) } : m;
        if (said.type === "plan") plan = said;
        this.onmessage(said);
      }
    } finally {
      clearInterval(beat);
      this.#channel.close();
    }
  }

  send(m: Outgoing): void {
    this.#channel.send(encode(m));
  }

  /** Ends the session; with leave, the membership too. */
  close(leave: boolean): void {
    if (leave) this.send({ type: "leave" });
    this.#channel.close();
  }
}

async function proveChallenge(o: SessionOptions, c: MessageOf<"challenge">): Promise<void> {
  if (c.oldest > VERSION) throw new RefusedError("version", `the host speaks version ${c.oldest} and newer, this page version ${VERSION}: reload the page`);
  if (c.version < OLDEST) throw new RefusedError("version", `the host speaks version ${c.version}, this page version ${OLDEST} and newer: the host must update`);
  if (c.nonce.length !== 32) throw new Error("challenge: nonce");
  const certificate = await openCertificate(o.site, c.certificate, o.originNow());
  if (!equal(certificate.planner, c.planner)) throw new Error("challenge: certified for another key");
  if (certificate.epoch !== c.epoch) throw new Error("challenge: certified for another epoch");
}

async function joinOf(
  o: SessionOptions,
  c: MessageOf<"challenge">,
  nonce: Uint8Array,
): Promise<Outgoing & { type: "join" }> {
  const statement = joinStatement(c.nonce, c.planner, o.fingerprint);
  return {
    type: "join",
    version: VERSION,
    key: o.identity.public,
    role: "viewer",
    fingerprint: o.fingerprint,
    nonce,
    signature: await sign(o.identity.key, "join", statement),
    ticket: o.ticket,
    changes: true,
    ...o.join,
  };
}

/** Messages in order; an unknown or malformed one is skipped. */
class Inbox {
  readonly #held: (Message | null)[] = [];
  #wake: (() => void) | null = null;

  constructor(channel: Channel) {
    channel.onmessage = (text) => {
      try {
        const m = decode(text);
        if (m) this.#add(m);
      } catch {
        channel.close();
      }
    };
    channel.onclose = () => this.#add(null);
  }

  #add(m: Message | null): void {
    this.#held.push(m);
    this.#wake?.();
  }

  /** Null once the channel is closed. */
  async next(): Promise<Message | null> {
    while (this.#held.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#held.shift() ?? null;
  }

  async expect<T extends "challenge" | "welcome">(type: T): Promise<MessageOf<T>> {
    const m = await this.next();
    if (m?.type === "refused") throw new RefusedError(m.code, m.sentence);
    if (m?.type !== type) throw new Error(`the planner said ${m?.type ?? "nothing"}, not ${type}`);
    return m as unknown as MessageOf<T>;
  }
}

/** The planner's address, of a page. */
export function controlURL(prefix: string): string {
  const u = new URL(`${prefix}control`, location.href);
  u.protocol = u.protocol === "https:" ? "wss:" : "ws:";
  return u.href;
}
