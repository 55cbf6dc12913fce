// This profile's membership in the swarm, while this tab leads: the
// conversation with the planner, kept up with jittered backoff.
import type { Config } from "../port.ts";
import { equal, fromBase64url } from "../wire/bytes.ts";
import { newerPlan, type Means, type Message, type Outgoing } from "../wire/control.ts";
import { bye } from "../wire/frame.ts";
import { importKey } from "../wire/sign.ts";
import { cameByHTTP2, openEvents, openSocket } from "./channel.ts";
import { backoff } from "./backoff.ts";
import { Carrier } from "./carrier.ts";
import { makeCertificate } from "./certificate.ts";
import { OriginClock } from "./clock.ts";
import type { Delivery } from "./delivery.ts";
import { loadIdentity, type Identity } from "./identity.ts";
import type { Interest } from "./interest.ts";
import { meansOf, wishes } from "./means.ts";
import { controlURL, RefusedError, Session } from "./session.ts";
import type { Stats } from "./stats.ts";
import { stunServers } from "./stun.ts";
import { fetchTicket } from "./ticket.ts";

const TICK_MS = 100;
const HANDOVER_MS = 5000;
const REPORT_MS = 10_000;
// What an uplink carries is learnt from reports: they come soon where it is not
// known, and where it turns out to carry less.
const EARLY_MS = 2000;
const EARLY_FOR_MS = 20_000; // of a membership
const BEHIND_MS = 3000; // that the oldest chunk waits
const FINAL = new Set(["version", "quarantine", "off"]); // no use in trying again
const SLOW = new Set(["full", "superseded"]); // a tab that leads no more may have had the last word
const SLOW_MS = 60_000; // after these, or another host's answer

export type MemberOptions = {
  config: Config;
  stats: Stats;
  interest: Interest;
  deliveries: () => Delivery[];
  hidden: () => boolean;
  tabs: () => number;
  stalls: () => number;
  off: () => void; // the host switched peers off
};

export class Member {
  readonly clock = new OriginClock();
  carrier: Carrier | null = null;
  identity: Identity | null = null;
  readonly #o: MemberOptions;
  readonly #stopped = new AbortController();
  #session: Session | null = null;
  #byEvents = cameByHTTP2(); // how the next session is opened: by events and posts, or by a WebSocket
  #wanted = "";
  #means = "";
  #timers: ReturnType<typeof setInterval>[] = [];
  #reported = { at: performance.now(), http: 0, stalls: 0 };
  readonly #born = performance.now();
  #announced = performance.now();

  constructor(o: MemberOptions) {
    this.#o = o;
  }

  get joined(): boolean {
    return this.#session !== null;
  }

  get linked(): boolean {
    return (this.carrier?.swarm.open().length ?? 0) > 0;
  }

  /** Joins and rejoins until it is stopped or refused for good; links outlive a session. */
  async run(): Promise<void> {
    const { config, stats, interest } = this.#o;
    const site = fromBase64url(config.site);
    const siteKey = await importKey(site);
    const identity = await loadIdentity();
    const { certificate, fingerprint } = await makeCertificate();
    if (this.#stopped.signal.aborted) return;
    this.identity = identity;
    const carrier = new Carrier({
      prefix: config.prefix,
      identity,
      site,
      siteKey,
      certificate,
      fingerprint,
      stun: stunServers(config.stun ?? [], location.hostname),
      clock: this.clock,
      stats,
      send: (m) => this.#send(m),
      rate: (content) => interest.content(content)?.rate ?? 0,
      httpRate: downlink(),
    });
    this.carrier = carrier;
    this.#timers = [setInterval(() => this.#tick(), TICK_MS), setInterval(() => this.#reportIfDue(performance.now()), 1000)];
    let failures = 0;
    while (!this.#stopped.signal.aborted) {
      const began = performance.now();
      const wait = await this.#once(siteKey, site, identity, fingerprint);
      if (wait === null) break;
      failures = performance.now() - began > 30_000 ? 0 : failures + 1;
      await this.#sleep(backoff(wait, failures, Math.random()));
    }
    if (!this.#stopped.signal.aborted) this.stop(); // refused for good; a handover still delivers
  }

  /** Ends everything; leave is false where another tab takes the membership over. */
  stop(leave = true): void {
    this.#stopped.abort();
    for (const t of this.#timers) clearInterval(t);
    this.#session?.close(leave);
    const swarm = this.carrier?.swarm;
    if (leave) swarm?.close();
    else setTimeout(() => swarm?.close(), HANDOVER_MS); // the new tab's links replace these first
  }

  /** One session; returns the least wait for backoff, null to stop. */
  async #once(siteKey: CryptoKey, site: Uint8Array, identity: Identity, fingerprint: Uint8Array): Promise<number | null> {
    const { config } = this.#o;
    const byEvents = this.#byEvents;
    this.#byEvents = cameByHTTP2() && !byEvents; // unless this one is welcomed, the other way is tried
    try {
      const t = await fetchTicket(config.prefix, fingerprint);
      if (!equal(t.site, site)) return SLOW_MS; // another host answers here now; a reload brings its key
      this.clock.set(t.now);
      if (t.http > 0) this.carrier?.fetcher.atMost(t.http);
      if (this.#stopped.signal.aborted) return null;
      const session = await Session.open({
        open: () => (byEvents ? openEvents(`${config.prefix}control`) : openSocket(controlURL(config.prefix))),
        site: siteKey,
        identity,
        fingerprint,
        ticket: t.ticket,
        originNow: () => this.clock.now(),
        join: this.#joining(),
      });
      if (this.#stopped.signal.aborted) {
        session.close(false); // another tab took the membership over meanwhile
        return null;
      }
      this.#session = session;
      this.#byEvents = byEvents;
      session.onmessage = (m) => this.#message(m);
      this.#wanted = "";
      await session.run();
      return 0;
    } catch (e) {
      if (!(e instanceof RefusedError)) return 0;
      if (e.code === "off") this.#o.off();
      if (e.code === "version") console.info(`Tuber: ${e.message}`); // the video plays over HTTP
      return FINAL.has(e.code) ? null : SLOW.has(e.code) ? SLOW_MS : 0;
    } finally {
      this.#session = null;
    }
  }

  #joining(): Pick<Outgoing & { type: "join" }, "means" | "ranges" | "links" | "plan"> {
    return {
      means: this.#newMeans(),
      ranges: this.carrier?.ranges() ?? [],
      links: this.carrier?.swarm.open().map((n) => n.id) ?? [],
      plan: this.carrier?.plan ?? null,
    };
  }

  /** What the browser and its owner let this page give, now. */
  #newMeans(): Means {
    const means = { download: 0, quota: 0, reach: "", links: 24, ...meansOf(wishes(this.#o.config.relay)) };
    this.#means = JSON.stringify(means);
    if (this.carrier) this.carrier.giving.relay = means.relay;
    return means;
  }

  #message(m: Message): void {
    const carrier = this.carrier;
    if (!carrier) return;
    if (m.type === "contents") {
      this.#o.interest.setContents(m.contents);
      this.#want();
    } else if (m.type === "plan") {
      if (!carrier.plan || newerPlan(m, carrier.plan)) carrier.setPlan(m, performance.now());
    } else if (m.type === "signal") carrier.swarm.signal(m);
    else if (m.type === "quarantine") for (const id of m.peers) carrier.swarm.ban(id, bye.done);
    else if (m.type === "withdraw") for (const content of m.contents) carrier.memory.drop(content);
  }

  #send(m: Outgoing): void {
    this.#session?.send(m);
  }

  #tick(): void {
    const now = performance.now();
    this.carrier?.tick(now, this.#o.interest.wanted(now), this.#o.deliveries());
    this.#want();
    const before = this.#means;
    const means = this.#newMeans();
    if (this.#session && this.#means !== before) this.#send({ type: "means", ...means });
  }

  /** Tells the planner what the players want, when that changes. */
  #want(): void {
    if (!this.#session) return;
    const contents = this.#o.interest.wanted(performance.now());
    const hidden = this.#o.hidden();
    const tabs = this.#o.tabs();
    const key = JSON.stringify([contents, hidden, tabs]);
    if (key === this.#wanted) return;
    this.#wanted = key;
    this.#send({ type: "want", contents, hidden, tabs });
  }

  #reportIfDue(now: number): void {
    const carrier = this.carrier;
    if (!carrier) return;
    if (now - this.#announced >= REPORT_MS - 500) {
      this.#announced = now;
      carrier.announce();
    }
    const age = now - this.#reported.at + 500; // timers are not exact
    const open = carrier.swarm.open();
    const used = open.filter((n) => n.sends(now));
    const behind = used.filter((n) => n.behind(now) > BEHIND_MS);
    const soon = (open.length > 0 && now - this.#born < EARLY_FOR_MS) || 2 * behind.length > used.length;
    if (this.#session && age >= (soon ? EARLY_MS : REPORT_MS)) this.#report(carrier, now);
  }

  #report(carrier: Carrier, now: number): void {
    const http = this.#o.stats.httpChunks + this.#o.stats.plain;
    const stalls = this.#o.stalls();
    this.#send({
      type: "report",
      interval: Math.round((now - this.#reported.at) * 1e6),
      links: carrier.swarm.all().map((n) => n.report(now)),
      ranges: carrier.ranges(),
      http: http - this.#reported.http,
      stalls: stalls - this.#reported.stalls,
    });
    this.#reported = { at: now, http, stalls };
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stopped.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** What the browser thinks of the line, bit/s; a guess where it says nothing. */
function downlink(): number {
  const n = navigator as Navigator & { connection?: { downlink?: number } };
  return (n.connection?.downlink ?? 4) * 1e6;
}
