// One membership for each profile: the tab that holds the lock leads. A visible
// playing tab takes the lock from one that is hidden or has no player.

const LOCK = "tuber";
const CHANNEL = "tuber";
const CHECK_MS = 1000;

type State = { leader: true; good: boolean } | { leader: false; who: true };

export type LeaderEvents = { lead(): void; step(taken: boolean): void };

export class Leader {
  tabs = 1; // of this profile that have a player, counted while this one leads
  readonly #events: LeaderEvents;
  readonly #good: () => boolean; // visible and playing
  #channel: BroadcastChannel | null = null;
  #release: (() => void) | null = null;
  #waiting: AbortController | null = null;
  #heardGood = 0; // ms, when a good leader was last heard of
  #asked = 0; // ms, since when a good leader is looked for
  #stopped = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(good: () => boolean, events: LeaderEvents) {
    this.#good = good;
    this.#events = events;
  }

  get leading(): boolean {
    return this.#release !== null;
  }

  start(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#channel = new BroadcastChannel(CHANNEL);
    this.#channel.onmessage = (e: MessageEvent<State>) => this.#hear(e.data);
    this.#timer = setInterval(() => this.#check(performance.now()), CHECK_MS);
    void this.#request(false);
  }

  /** For good. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#waiting?.abort();
    this.#release?.();
    this.#channel?.close();
    this.#channel = null;
  }

  #hear(s: State): void {
    if (!s.leader && this.leading) this.#channel?.postMessage({ leader: true, good: this.#good() } satisfies State);
    if (s.leader && s.good) this.#heardGood = performance.now();
  }

  #check(now: number): void {
    if (this.leading) void this.#count().catch(() => undefined); // a page that goes may not ask
    if (this.leading || !this.#good()) {
      this.#asked = 0;
      return;
    }
    if (this.#asked === 0) this.#asked = now;
    this.#channel?.postMessage({ leader: false, who: true } satisfies State);
    if (now - this.#asked < 2 * CHECK_MS || now - this.#heardGood < 2 * CHECK_MS) return;
    this.#asked = 0;
    void this.#request(true);
  }

  /** Every tab with a player holds the lock or waits for it. */
  async #count(): Promise<void> {
    const { held = [], pending = [] } = await navigator.locks.query();
    this.tabs = Math.max(1, [...held, ...pending].filter((l) => l.name === LOCK).length);
  }

  async #request(steal: boolean): Promise<void> {
    const before = this.#waiting;
    const waiting = new AbortController();
    this.#waiting = waiting;
    const options: LockOptions = steal ? { steal: true } : { signal: waiting.signal };
    try {
      const held = navigator.locks.request(LOCK, options, () => this.#lead());
      if (steal) before?.abort();
      await held;
    } catch {
      // stolen, or not waited for any more
    }
    if (this.#waiting !== waiting) return;
    if (this.#release) {
      this.#release = null;
      this.#events.step(true);
    }
    if (this.#timer !== undefined) void this.#request(false); // in line again
  }

  #lead(): Promise<void> {
    return new Promise((resolve) => {
      this.#release = () => {
        this.#release = null;
        this.#events.step(false);
        resolve();
      };
      this.#events.lead();
    });
  }
}
