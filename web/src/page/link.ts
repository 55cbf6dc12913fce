// One PeerConnection between two peers, with the two channels of wire/doc.go.
import { equal, FrameError } from "../wire/bytes.ts";
import { OLDEST, VERSION } from "../wire/constants.ts";
import type { Introduction, Outgoing, Signal } from "../wire/control.ts";
import { bye, type ChunkFrame, type Frame, type Hello, readFrame, writeFrame } from "../wire/frame.ts";
import { Joiner, split } from "../wire/parts.ts";
import { check, helloStatement, importKey, sign } from "../wire/sign.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { Hold } from "./hold.ts";
import type { Identity } from "./identity.ts";

export type LinkOptions = {
  introduction: Introduction;
  attempt: number;
  identity: Identity;
  site: Uint8Array;
  certificate: RTCCertificate;
  fingerprint: Uint8Array;
  stun: string[];
  signal: (s: Outgoing & { type: "signal" }) => void;
};

export type LinkEvents = {
  open(link: Link): void;
  frame(link: Link, f: Frame): void | Promise<void>; // ctl: in order, each awaited
  chunk(link: Link, f: ChunkFrame): void; // data
  room(link: Link): void; // the data channel can take more
  closed(link: Link): void; // once
};

const RECORD = 1100; // bytes of a message that one DTLS record carries, about
const EARLY = 64; // chunks kept while the other's hello is proved

export class Link {
  readonly introduction: Introduction;
  readonly attempt: number;
  readonly born = performance.now();
  readonly #o: LinkOptions;
  readonly #events: LinkEvents;
  readonly #pc: RTCPeerConnection;
  readonly #ctl: RTCDataChannel;
  readonly #data: RTCDataChannel;
  readonly #joiner = new Joiner();
  heard = performance.now(); // ms, when anything last came
  pinged = 0; // ms, when a sign of life was asked for
  records = 0; // DTLS records that crossed, about
  readonly #hold = new Hold();
  #work: Promise<void> = Promise.resolve(); // ctl messages and signals, in order
  #proved = false;
  #opened = false;
  #closed = false;
  #early: ChunkFrame[] = [];
  #candidates: string[] | null = []; // own ones, until the description went out

  constructor(o: LinkOptions, events: LinkEvents) {
    this.#o = o;
    this.#events = events;
    this.introduction = o.introduction;
    this.attempt = o.attempt;
    const iceServers = o.stun.length > 0 ? [{ urls: o.stun }] : [];
    this.#pc = new RTCPeerConnection({ certificates: [o.certificate], iceServers });
    this.#ctl = this.#pc.createDataChannel("ctl", { negotiated: true, id: 0, ordered: true });
    this.#data = this.#pc.createDataChannel("data", { negotiated: true, id: 1, ordered: false });
    this.#attach();
  }

  get open(): boolean {
    return this.#opened && !this.#closed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Makes the offer. */
  offer(): void {
    this.#do(async () => {
      await this.#pc.setLocalDescription(await this.#pc.createOffer());
      this.#describe("offer");
    });
  }

  /** Takes a signal of this attempt, in order. */
  signal(s: Signal): void {
    this.#do(async () => {
      if (s.kind === "candidate") {
        await this.#pc.addIceCandidate({ candidate: s.data, sdpMid: "0", sdpMLineIndex: 0 }).catch(() => undefined);
      } else if (s.kind === "answer") {
        await this.#pc.setRemoteDescription({ type: "answer", sdp: s.data });
      } else if (s.kind === "offer") {
        await this.#pc.setRemoteDescription({ type: "offer", sdp: s.data });
        await this.#pc.setLocalDescription(await this.#pc.createAnswer());
        this.#describe("answer");
      }
    });
  }

  send(f: Frame): void {
    if (this.#ctl.readyState !== "open") return;
    for (const message of split(writeFrame(f))) this.#ctl.send(message);
  }

  /** False if the channel holds as much as it may. */
  sendChunk(f: ChunkFrame): boolean {
    if (!this.open || this.#data.readyState !== "open" || !this.#hold.room(this.#data.bufferedAmount, f.payload.length)) return false;
    const frame = writeFrame(f);
    this.#data.send(frame);
    this.#hold.hand(frame.length, this.#data.bufferedAmount, performance.now());
    this.records += Math.ceil(f.payload.length / RECORD);
    return true;
  }

  /** Sets what this page is to send here, bit/s. */
  set rate(rate: number) {
    this.#hold.rate = rate;
    this.#data.bufferedAmountLowThreshold = this.#hold.low;
  }

  /** How long the oldest chunk that the data channel holds has waited there, in ms. */
  behind(now: number): number {
    return this.#hold.behind(this.#data.bufferedAmount, now);
  }

  close(code: number = bye.done, reason = ""): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.send({ type: "bye", code, reason });
    } catch {
      // the channel went first
    }
    this.#early = [];
    setTimeout(() => this.#pc.close(), 50); // so that the bye still goes
    this.#events.closed(this);
  }

  #attach(): void {
    this.#ctl.binaryType = this.#data.binaryType = "arraybuffer";
    this.rate = 0; // until a plan says more
    this.#data.onbufferedamountlow = () => this.#events.room(this);
    this.#ctl.onopen = () => this.#do(() => this.#greet());
    this.#data.onopen = () => this.#ready();
    this.#ctl.onclose = this.#data.onclose = () => this.close();
    this.#ctl.onmessage = (e) => {
      this.heard = performance.now();
      this.#do(() => this.#onCtl(new Uint8Array(e.data as ArrayBuffer)));
    };
    this.#data.onmessage = (e) => this.#onData(new Uint8Array(e.data as ArrayBuffer));
    this.#pc.onconnectionstatechange = () => {
      if (this.#pc.connectionState === "failed" || this.#pc.connectionState === "closed") this.close();
    };
    this.#pc.onicecandidate = (e) => {
      const line = e.candidate?.candidate;
      if (!line) return;
      if (this.#candidates) this.#candidates.push(line);
      else this.#say("candidate", line);
    };
  }

  /** Runs what must keep its order; whatever throws ends the link. */
  #do(work: () => Promise<void>): void {
    this.#work = this.#work
      .then(() => (this.#closed ? undefined : work()))
      .catch((e: unknown) => this.close(e instanceof FrameError ? bye.frame : bye.done, e instanceof Error ? e.message : ""));
  }

  #describe(kind: "offer" | "answer"): void {
    this.#say(kind, this.#pc.localDescription?.sdp ?? "");
    for (const line of this.#candidates ?? []) this.#say("candidate", line);
    this.#candidates = null;
  }

  #say(kind: string, data: string): void {
    this.#o.signal({ type: "signal", peer: this.introduction.peer, kind, attempt: this.attempt, data });
  }

  #fingerprints(): { own: Uint8Array; other: Uint8Array } {
    const other = fingerprintOf(this.#pc.remoteDescription?.sdp ?? "");
    if (!other) throw new FrameError("the other side tells no SHA-256 fingerprint");
    return { own: this.#o.fingerprint, other };
  }

  async #greet(): Promise<void> {
    const { own, other } = this.#fingerprints();
    const { site, identity } = this.#o;
    const signature = await sign(identity.key, "hello", helloStatement(site, own, other));
    this.send({ type: "hello", version: VERSION, features: 0, role: "viewer", site, key: identity.public, signature });
  }

  async #onCtl(message: Uint8Array): Promise<void> {
    const f = readFrame(message);
    if (!f) return;
    if (!this.#proved) return this.#prove(f);
    if (f.type !== "part") return this.#handle(f);
    const whole = this.#joiner.add(f);
    const joined = whole ? readFrame(whole) : null;
    if (joined) await this.#handle(joined);
  }

  async #handle(f: Frame): Promise<void> {
    if (f.type === "bye") this.close();
    else await this.#events.frame(this, f);
  }

  async #prove(f: Frame): Promise<void> {
    if (f.type === "bye") return this.close();
    if (f.type !== "hello") throw new FrameError("the first frame is no hello");
    if (f.version < OLDEST) return this.close(bye.version, `wire version ${f.version} is too old here; update that side`);
    try {
      await this.#checkHello(f);
    } catch {
      return this.close(bye.proof, "the hello does not prove who this is");
    }
    this.#proved = true;
    this.#ready();
  }

  async #checkHello(f: Hello): Promise<void> {
    if (!equal(f.site, this.#o.site) || !equal(f.key, this.introduction.key)) throw new FrameError("another peer");
    const { own, other } = this.#fingerprints();
    await check(await importKey(f.key), "hello", helloStatement(f.site, other, own), f.signature);
  }

  #ready(): void {
    if (this.#opened || this.#closed || !this.#proved || this.#data.readyState !== "open") return;
    this.#opened = true;
    this.#events.open(this);
    for (const f of this.#early.splice(0)) this.#events.chunk(this, f);
  }

  #onData(message: Uint8Array): void {
    if (this.#closed) return;
    this.heard = performance.now();
    this.records += Math.ceil(message.length / RECORD);
    try {
      const f = readFrame(message);
      if (f?.type !== "chunk") return;
      if (this.open) this.#events.chunk(this, f);
      else if (this.#early.length < EARLY) this.#early.push(f);
    } catch {
      this.close(bye.frame, "malformed chunk");
    }
  }
}
