// A body fed by a page, one piece for each pull; finished by plain HTTP if the page dies.
import { SILENCE_MS, type ToWorker } from "../port.ts";
import type { Page } from "./pages.ts";
import type { Scope } from "./scope.ts";
import { fetchTail } from "./tail.ts";

export type Source = {
  scope: Scope;
  page: Page;
  id: number;
  request: Request;
  from: number; // first byte of the URL's body
  end: number | null; // last byte wanted, inclusive; null: to the body's end
  total: number | null;
  etag: string | null;
};

type Step = ArrayBuffer | "end" | "fetch";

export class Body {
  readonly #source: Source;
  #reached: number;
  #tail: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #queue: Step[] = [];
  #wake: (() => void) | null = null;
  #heard = false;
  #stop: () => void;

  constructor(source: Source) {
    this.#source = source;
    this.#reached = source.from;
    this.#stop = source.page.listen(source.id, (m) => this.#hear(m));
  }

  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) => this.#pull(controller),
        cancel: async (reason) => {
          this.#source.page.post({ type: "cancel", id: this.#source.id });
          this.#stop();
          await this.#tail?.cancel(reason);
        },
      },
      { highWaterMark: 2 },
    );
  }

  #hear(m: ToWorker): void {
    this.#heard = true;
    if (m.type === "data") this.#queue.push(m.bytes);
    else if (m.type === "end" || m.type === "fetch") this.#queue.push(m.type);
    this.#wake?.();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#tail) return this.#pullTail(controller);
    this.#source.page.post({ type: "pull", id: this.#source.id });
    const step = await this.#next();
    if (step instanceof ArrayBuffer) {
      this.#reached += step.byteLength;
      controller.enqueue(new Uint8Array(step));
      return;
    }
    this.#stop();
    const { end, total } = this.#source;
    const last = end ?? (total === null ? null : total - 1);
    if (step === "end" || (last !== null && this.#reached > last)) return controller.close();
    this.#source.page.post({ type: "cancel", id: this.#source.id });
    const { scope, request, etag } = this.#source;
    try {
      const body = await fetchTail(scope, { request, reached: this.#reached, end, total, etag });
      this.#tail = body.getReader();
    } catch (e) {
      return controller.error(e); // a cut body is an error to the player, which asks again
    }
    return this.#pullTail(controller);
  }

  async #pullTail(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const piece = await this.#tail?.read().catch((e: unknown) => (controller.error(e), undefined));
    if (!piece) return;
    if (piece.done) {
      const { end, total } = this.#source;
      const last = end ?? (total === null ? null : total - 1);
      if (last !== null && this.#reached <= last) return controller.error(new Error("the body was cut short"));
      return controller.close();
    }
    this.#reached += piece.value.length;
    this.#source.page.post({ type: "plain", url: this.#source.request.url, bytes: piece.value.length });
    controller.enqueue(piece.value);
  }

  /** The next step, or "fetch" once the page was silent for SILENCE_MS. */
  async #next(): Promise<Step> {
    for (;;) {
      const step = this.#queue.shift();
      if (step !== undefined) return step;
      this.#heard = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, SILENCE_MS);
      });
      clearTimeout(timer);
      this.#wake = null;
      if (!this.#heard) return "fetch";
    }
  }
}
