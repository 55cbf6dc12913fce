// Answers to the worker: what the players of this profile ask for.
import type { Request, ToWorker } from "../port.ts";
import { choosePlaylist } from "./choose.ts";
import { Delivery } from "./delivery.ts";
import type { Fetcher } from "./fetcher.ts";
import type { Held } from "./held.ts";
import type { Memory } from "./memory.ts";
import { isRanged, totalOf } from "./segment.ts";
import type { SignedManifest } from "../wire/manifest.ts";

const KNOWN_MS = 300; // nothing known of a segment for longer: plain HTTP

export type AnswersOptions = {
  memory: Memory;
  linked: () => boolean; // there are links that this page can expect chunks from
  originNow: () => number;
  ahead: () => number | null;
  fetcher: Fetcher | null;
  rate: (content: string) => number; // the plan's grant, bit/s
  touched: (content: string) => void;
  answered: (bytes: number) => void;
};

const PLAYLIST = /\.m3u8(\?|$)/i;

type Post = (m: ToWorker, transfer?: Transferable[]) => void;

export class Answers {
  readonly #o: AnswersOptions;
  readonly #deliveries = new Map<number, Delivery>();
  readonly #finding = new Set<number>(); // requests that wait for a statement

  constructor(o: AnswersOptions) {
    this.#o = o;
  }

  get deliveries(): Delivery[] {
    return [...this.#deliveries.values()];
  }

  pull(id: number): void {
    this.#deliveries.get(id)?.pull();
  }

  cancel(id: number): void {
    const delivery = this.#deliveries.get(id);
    if (delivery) delivery.cancel();
    else this.#finding.delete(id);
  }

  /** Every request ends with "end" or "fetch", or was cancelled. */
  async answer(q: Request, post: Post): Promise<void> {
    const asked = performance.now();
    post({ type: "taken", id: q.id });
    const held = this.#o.memory.playlist(q.url);
    if (held) return this.#playlist(held, q, post);
    if (!this.#o.linked() || PLAYLIST.test(q.url)) return post({ type: "fetch", id: q.id }); // no statement names a playlist
    this.#finding.add(q.id);
    const known = await this.#find(q, asked);
    const cancelled = !this.#finding.delete(q.id);
    if (!known || cancelled) return post({ type: "fetch", id: q.id });
    await this.#segment(known.held, known.run, q, asked, post);
  }

  #playlist(held: Held, q: Request, post: Post): void {
    const copy = q.start === null ? choosePlaylist(held, performance.now(), this.#o.originNow()) : null;
    if (!copy || !this.#o.linked()) return post({ type: "fetch", id: q.id });
    const bytes = copy.playlist.slice().buffer;
    const headers: [string, string][] = [
      ["Content-Type", copy.signed.update.mime],
      ["Content-Length", String(bytes.byteLength)],
      ["Cache-Control", "no-store"],
    ];
    this.#o.answered(bytes.byteLength);
    post({ type: "head", id: q.id, status: 200, headers, from: 0, total: bytes.byteLength });
    post({ type: "data", id: q.id, bytes }, [bytes]);
    post({ type: "end", id: q.id });
  }

  /** Waits up to KNOWN_MS for a statement about the first byte asked for. */
  async #find(q: Request, asked: number): Promise<{ held: Held; run: SignedManifest } | undefined> {
    for (;;) {
      const known = this.#o.memory.run(q.url, q.start ?? 0);
      const left = asked + KNOWN_MS - performance.now();
      if (known || left <= 0) return known;
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, 20)));
    }
  }

  async #segment(held: Held, run: SignedManifest, q: Request, asked: number, post: Post): Promise<void> {
    const runs = held.runsOf(q.url);
    const span = spanOf(q, runs);
    const fetcher = this.#o.fetcher;
    if (!span || !fetcher) return post({ type: "fetch", id: q.id });
    const { from, end, total } = span;
    const headers = run.manifest.headers
      .filter((h) => !/^(content-length|content-range|transfer-encoding|connection)$/i.test(h.name))
      .map((h): [string, string] => [h.name, h.value]);
    if (q.start !== null && end !== null) headers.push(["Content-Range", `bytes ${from}-${end - 1}/${total ?? "*"}`]);
    if (end !== null) headers.push(["Content-Length", String(end - from)]);
    headers.push(["Accept-Ranges", "bytes"]);
    this.#o.touched(held.content);
    const delivery = new Delivery({
      id: q.id,
      held,
      url: q.url,
      from,
      end,
      target: held.newest?.signed.update.target ?? 2000,
      asked,
      post,
      ahead: q.own ? this.#o.ahead : () => null,
      http: {
        get speed() {
          return fetcher.speed;
        },
        fetch: (numbers) => fetcher.fetch(held.content, numbers),
        flying: (n) => fetcher.flying(held.content, n),
      },
      grant: () => this.#o.rate(held.content),
      answered: this.#o.answered,
    });
    this.#deliveries.set(q.id, delivery);
    try {
      post({ type: "head", id: q.id, status: q.start === null ? 200 : 206, headers, from, total });
      await delivery.run();
    } catch {
      post({ type: "fetch", id: q.id });
    } finally {
      this.#deliveries.delete(q.id);
    }
  }
}

export type Span = { from: number; end: number | null; total: number | null };

/** Which bytes to give (end exclusive, null: to the segment's end); null if that cannot be told. */
export function spanOf(q: Pick<Request, "start" | "end">, runs: readonly SignedManifest[]): Span | null {
  const total = totalOf(runs);
  if (q.start === null) return isRanged(runs) ? null : { from: 0, end: total, total };
  if (q.end === null) return total === null ? null : { from: q.start, end: total, total };
  const end = total === null ? q.end + 1 : Math.min(q.end + 1, total);
  return q.start < end ? { from: q.start, end, total } : null;
}
