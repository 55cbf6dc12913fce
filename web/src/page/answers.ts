// Answers to the worker: what the players of this profile ask for.
import { WAIT_MS, type Request, type ToWorker } from "../port.ts";
import { choosePlaylist } from "./choose.ts";
import { Delivery } from "./delivery.ts";
import type { Fetcher } from "./fetcher.ts";
import type { Copy, Held } from "./held.ts";
import type { Memory } from "./memory.ts";
import type { Place } from "./place.ts";
import { isRanged, totalOf } from "./segment.ts";
import { directiveOf, reached, tipOf, type Directive } from "./tip.ts";

const KNOWN_MS = 300; // nothing known of a segment for longer: plain HTTP
const NAMED_MS = 2000; // but if the playlist names it, and the player has twice as much ahead
const HOLD_PARTS = 4; // part durations that a player's request for the next part is held
const HOLD_MS = 250; // and on top of them

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
    const { url, ask } = directiveOf(q.url);
    const held = this.#o.memory.playlist(url);
    if (held) return this.#playlist(held, ask, q, post);
    if (!this.#o.linked() || PLAYLIST.test(q.url)) return post({ type: "fetch", id: q.id }); // no statement names a playlist
    this.#finding.add(q.id);
    const known = await this.#find(q, asked, post);
    const cancelled = !this.#finding.delete(q.id);
    if (!known || cancelled) return post({ type: "fetch", id: q.id });
    await this.#segment(known.held, known.place, q, asked, post);
  }

  async #playlist(held: Held, ask: Directive | null, q: Request, post: Post): Promise<void> {
    this.#finding.add(q.id);
    const copy = q.start === null ? await this.#copy(held, ask, q.id, post) : null;
    const cancelled = !this.#finding.delete(q.id);
    if (!copy || cancelled) return post({ type: "fetch", id: q.id });
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

  /** The copy that goes as far as asked, held back until it does; null where HTTP must answer. */
  async #copy(held: Held, ask: Directive | null, id: number, post: Post): Promise<Copy | null> {
    const asked = performance.now();
    for (let said = asked; ; ) {
      const now = performance.now();
      const copy = this.#o.linked() ? choosePlaylist(held, now, this.#o.originNow()) : null;
      if (!copy || !ask || reached(tipOf(copy.playlist), ask)) return copy;
      if (now - asked > HOLD_PARTS * held.part + HOLD_MS || !this.#finding.has(id)) return null;
      if (now - said >= WAIT_MS) {
        said = now;
        post({ type: "wait", id });
      }
      await held.changed(50);
    }
  }

  /** Waits for a statement about the first byte asked for. */
  async #find(q: Request, asked: number, post: Post): Promise<{ held: Held; place: Place } | undefined> {
    let patience: number | undefined; // it takes a look through the playlists, so not before it is needed
    for (let said = asked; ; ) {
      const known = this.#o.memory.place(q.url, q.start ?? 0);
      if (known || !this.#finding.has(q.id)) return known;
      patience ??= this.#patience(q);
      const now = performance.now();
      if (now - asked >= patience) return undefined;
      if (now - said >= WAIT_MS) {
        said = now;
        post({ type: "wait", id: q.id });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /**
   * For how long a statement is waited for, in ms. The playlist is shown before a
   * segment is told of that its parts make up: the origin compares them first.
   */
  #patience(q: Request): number {
    const ahead = q.own ? (this.#o.ahead() ?? 0) : 0;
    const named = ahead > 2 * KNOWN_MS && this.#o.memory.all().some((held) => names(held, q.url));
    return named ? Math.min(ahead / 2, NAMED_MS) : KNOWN_MS;
  }

  async #segment(held: Held, place: Place, q: Request, asked: number, post: Post): Promise<void> {
    const span = spanOf(q, held.placesOf(q.url));
    const fetcher = this.#o.fetcher;
    if (!span || !fetcher) return post({ type: "fetch", id: q.id });
    const { from, end, total } = span;
    const headers = place.told.manifest.headers
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
      target: held.part > 0 ? 2 * held.part : (held.newest?.signed.update.target ?? 2000),
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

/** True if the newest playlist lists this URL. */
function names(held: Held, url: string): boolean {
  const newest = held.newest;
  if (!newest) return false;
  const base = new URL(newest.signed.update.url, "https://site.invalid");
  const is = (line: string): boolean => {
    try {
      const u = new URL(line, base);
      return u.pathname + u.search === url;
    } catch {
      return false; // a site may write what it likes
    }
  };
  const lines = new TextDecoder().decode(newest.playlist).split(/\r?\n/);
  return lines.some((line) => line !== "" && !line.startsWith("#") && is(line));
}

export type Span = { from: number; end: number | null; total: number | null };

/** Which bytes to give (end exclusive, null: to the segment's end); null if that cannot be told. */
export function spanOf(q: Pick<Request, "start" | "end">, places: readonly Place[]): Span | null {
  const total = totalOf(places);
  if (q.start === null) return isRanged(places) ? null : { from: 0, end: total, total };
  if (q.end === null) return total === null ? null : { from: q.start, end: total, total };
  const end = total === null ? q.end + 1 : Math.min(q.end + 1, total);
  return q.start < end ? { from: q.start, end, total } : null;
}
