import { BUSY_MS, TAKE_MS, type ToPage, type ToWorker } from "../port.ts";
import type { Client, Port } from "./scope.ts";

type Listener = (m: ToWorker) => void;

/** One page: its port and the requests that wait for its answers. */
export class Page {
  leading: boolean;
  #answers = true; // until it let a request pass in silence
  readonly #port: Port;
  readonly #requests = new Map<number, Listener>();

  constructor(port: Port, leading: boolean, gone: () => void) {
    this.#port = port;
    this.leading = leading;
    port.onmessage = (e) => {
      const m = e.data as ToWorker;
      this.#answers = true;
      if (m.type === "leading") this.leading = m.leading;
      else if (m.type === "gone") gone();
      else this.#requests.get(m.id)?.(m);
    };
    this.post({ type: "bound" });
  }

  post(m: ToPage): void {
    this.#port.postMessage(m);
  }

  listen(id: number, listener: Listener): () => void {
    this.#requests.set(id, listener);
    return () => this.#requests.delete(id);
  }

  /**
   * For how long it may leave a request untaken, in ms. A page that is busy could
   * not read an answer by HTTP any sooner: its player waits for the same thread.
   * Another page's player must not wait for this one's.
   */
  patience(own: boolean): number {
    return own && this.#answers ? BUSY_MS : TAKE_MS;
  }

  /** It left a request of its own untaken: until it is heard again it is asked as briefly as any. */
  silent(): void {
    this.#answers = false;
  }

  /** Ends all requests of a page that is no more: each goes on by plain HTTP. */
  close(): void {
    this.#port.close();
    for (const [id, listener] of [...this.#requests]) listener({ type: "fetch", id });
  }
}

/** The pages that opened a port to this worker. Lost with the worker, and asked for again. */
export class Pages {
  readonly #pages = new Map<string, Page>();
  #waiting: (() => void)[] = [];

  bind(client: string, port: Port, leading: boolean): void {
    this.drop(client);
    const page: Page = new Page(port, leading, () => {
      if (this.#pages.get(client) === page) this.drop(client);
    });
    this.#pages.set(client, page);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  drop(client: string): void {
    const page = this.#pages.get(client);
    this.#pages.delete(client);
    page?.close();
  }

  get empty(): boolean {
    return this.#pages.size === 0;
  }

  has(client: string): boolean {
    return this.#pages.has(client);
  }

  /** The page itself if it leads, else the one that leads, else the page itself. */
  answering(client: string): Page | undefined {
    const own = this.#pages.get(client);
    if (own?.leading) return own;
    for (const page of this.#pages.values()) if (page.leading) return page;
    return own;
  }

  own(client: string): Page | undefined {
    return this.#pages.get(client);
  }

  /** Asks all windows to open their ports again; resolves with the first, or after ms. */
  async reopen(windows: Promise<readonly Client[]>, ms: number): Promise<void> {
    const first = new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      setTimeout(resolve, ms);
    });
    void windows.then((all) => {
      for (const c of all) c.postMessage({ tuber: "reopen" });
    }, () => undefined);
    await first;
  }
}
