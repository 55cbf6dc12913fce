// The page's parts, joined: the port to the worker, the leading tab's
// membership, the players.
import { matcher, type Config } from "../port.ts";
import { Answers } from "./answers.ts";
import { grantOf } from "./grant.ts";
import { Courier } from "./courier.ts";
import { Interest } from "./interest.ts";
import { Leader } from "./leader.ts";
import { Member } from "./member.ts";
import { Memory } from "./memory.ts";
import { Player } from "./player.ts";
import { unregister } from "./register.ts";
import { Stats } from "./stats.ts";
import { directiveOf } from "./tip.ts";

// The first picture comes before the membership: keys, certificate and WebRTC's
// own start take the player's thread. A page without a picture joins after this.
const JOIN_MS = 1000;

/** Starts all and returns window.tuber.stats. */
export function startPeer(config: Config): () => object {
  const stats = new Stats();
  const interest = new Interest();
  const player = new Player();
  const none = new Memory();
  let member: Member | null = null;
  let joining: Promise<void> | null = null;

  const answers = new Answers({
    get memory() {
      return member?.carrier?.memory ?? none;
    },
    linked: () => member?.linked ?? false,
    originNow: () => member?.clock.now() ?? 0,
    ahead: () => player.ahead(),
    get fetcher() {
      return member?.carrier?.fetcher ?? null;
    },
    rate: (content) => grantOf(member?.carrier?.plan?.grants ?? [], content),
    touched: (content) => interest.touched(content, performance.now()),
    answered: (bytes) => (stats.answered += bytes),
  });

  const leader = new Leader(() => document.visibilityState === "visible" && player.playing, {
    lead() {
      const m = new Member({
        config,
        stats,
        interest,
        deliveries: () => answers.deliveries,
        hidden: () => document.visibilityState === "hidden",
        tabs: () => leader.tabs,
        stalls: () => player.stalls,
        off: () => {
          leader.stop();
          courier.close();
          void unregister(config.prefix).catch(() => undefined);
        },
      });
      member = m;
      courier.setLeading(true);
      m.run().catch(() => m.stop());
    },
    step(taken) {
      courier.setLeading(false);
      member?.stop(!taken);
      member = null;
    },
  });

  /** The first sign of media makes this tab stand for the membership. */
  const seen = (pathAndQuery: string): void => {
    interest.asked(directiveOf(pathAndQuery).url, performance.now());
    joining ??= player.shown(JOIN_MS).then(() => leader.start());
  };

  const courier = new Courier(
    config,
    {
      request(q, post) {
        seen(q.url);
        void answers.answer(q, post);
      },
      pull: (id) => answers.pull(id),
      cancel: (id) => answers.cancel(id),
      plain: (_, bytes) => (stats.plain += bytes),
    },
    () => player.playing || answers.deliveries.length > 0,
  );

  player.watch(document);
  observe(config, seen);
  courier.start();
  addEventListener("pagehide", (e) => {
    if (!e.persisted) leader.stop();
  });

  return () => ({
    ...stats,
    stalls: player.stalls,
    role: leader.leading ? "leader" : "tab",
    joined: member?.joined ?? false,
    id: member?.identity?.id ?? null,
    worker: courier.bound,
    links: member?.carrier?.swarm.open().length ?? 0,
    ids: member?.carrier?.swarm.open().map((n) => n.id) ?? [],
    held: member?.carrier?.memory.bytes() ?? 0,
    wanted: interest.wanted(performance.now()),
  });
}

/** Requests that no worker saw still tell what is wanted. */
function observe(config: Config, seen: (pathAndQuery: string) => void): void {
  const wanted = matcher(config);
  const observer = new PerformanceObserver((list) => {
    for (const e of list.getEntries()) {
      const u = new URL(e.name, location.href);
      if (u.origin === location.origin && wanted(u.pathname + u.search)) seen(u.pathname + u.search);
    }
  });
  observer.observe({ type: "resource", buffered: true });
}
