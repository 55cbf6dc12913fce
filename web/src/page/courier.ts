// The page's end of the port to the worker; opened again whenever the worker lost it.
import { KEEPALIVE, KEEPALIVE_MS, type Config, type Greeting, type Reopen, type Request, type ToPage, type ToWorker } from "../port.ts";

export type CourierEvents = {
  request(q: Request, post: (m: ToWorker, transfer?: Transferable[]) => void): void;
  pull(id: number): void;
  cancel(id: number): void;
  plain(url: string, bytes: number): void;
};

export class Courier {
  readonly #config: Config;
  readonly #events: CourierEvents;
  readonly #playing: () => boolean;
  #port: MessagePort | null = null;
  #leading = false;
  #closed = false;
  #heard = -Infinity; // ms, when the worker last asked for, or gave, a piece of a body
  bound = false;

  constructor(config: Config, events: CourierEvents, playing: () => boolean) {
    this.#config = config;
    this.#events = events;
    this.#playing = playing;
  }

  start(): void {
    const workers = navigator.serviceWorker;
    workers.addEventListener("controllerchange", () => this.open());
    workers.addEventListener("message", (e) => {
      if ((e.data as Partial<Reopen> | null)?.tuber === "reopen") this.open();
    });
    workers.startMessages();
    addEventListener("pagehide", () => this.#post({ type: "gone" }));
    addEventListener("pageshow", (e) => {
      if (e.persisted) this.open();
    });
    setInterval(() => void this.#keepAlive(), KEEPALIVE_MS);
    this.open();
  }

  setLeading(leading: boolean): void {
    if (leading === this.#leading) return;
    this.#leading = leading;
    this.#post({ type: "leading", leading });
  }

  /** Gives the worker that controls this page a new port. */
  open(): void {
    const worker = navigator.serviceWorker.controller;
    if (!worker || this.#closed) return;
    this.#port?.close();
    this.bound = false;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (e: MessageEvent<ToPage>) => this.#on(e.data, port1);
    const greeting: Greeting = { tuber: "port", build: this.#config.build, leading: this.#leading };
    worker.postMessage(greeting, [port2]);
  }

  /** For good. */
  close(): void {
    this.#closed = true;
    this.#post({ type: "gone" });
    this.#port?.close();
    this.#port = null;
  }

  #on(m: ToPage, port: MessagePort): void {
    if (m.type !== "bound") this.#heard = performance.now();
    if (m.type === "bound") this.bound = true;
    else if (m.type === "request") this.#events.request(m, (answer, transfer) => port.postMessage(answer, transfer ?? []));
    else if (m.type === "pull") this.#events.pull(m.id);
    else if (m.type === "cancel") this.#events.cancel(m.id);
    else if (m.type === "plain") this.#events.plain(m.url, m.bytes);
  }

  #post(m: ToWorker): void {
    this.#port?.postMessage(m);
  }

  /** A fetch that only the worker answers keeps it alive while it streams, from this page or by plain HTTP. */
  async #keepAlive(): Promise<void> {
    const streams = performance.now() - this.#heard < 2 * KEEPALIVE_MS;
    if (!(streams || this.#playing()) || !navigator.serviceWorker.controller || !this.bound) return;
    try {
      const response = await fetch(this.#config.prefix + KEEPALIVE, { cache: "no-store" });
      if (response.headers.get("Tuber-Port") !== "1") this.open();
    } catch {
      // the next one may do better
    }
  }
}
