// Which contents the players ask for, told from the URLs they ask.
import type { Content } from "../wire/control.ts";
import type { ContentID } from "../wire/frame.ts";

// An interest lasts so long, or three target durations.
const KEEP_MS = 5_000;
// A player polls the playlist of what it plays each target duration. What it has
// not asked for in so many of them, while it asked for something else, it has
// left for another rendition: that must not take means from what it plays now.
const LEFT = 1.25;
const MAX_URLS = 256;

export class Interest {
  readonly #urls = new Map<string, number>(); // path and query -> ms, monotonic
  readonly #touched = new Map<ContentID, number>();
  #contents: Content[] = [];

  setContents(contents: Content[]): void {
    this.#contents = contents;
  }

  content(id: ContentID): Content | undefined {
    return this.#contents.find((c) => c.id === id);
  }

  /** A player asked for this path and query. */
  asked(url: string, now: number): void {
    this.#urls.delete(url);
    this.#urls.set(url, now);
    const oldest = this.#urls.keys().next().value;
    if (this.#urls.size > MAX_URLS && oldest !== undefined) this.#urls.delete(oldest);
  }

  /** A player asked for a segment of this content. */
  touched(id: ContentID, now: number): void {
    this.#touched.set(id, now);
  }

  /** What to want now. */
  wanted(now: number): ContentID[] {
    const last = (c: Content): number => Math.max(this.#urls.get(c.url) ?? -Infinity, this.#touched.get(c.id) ?? -Infinity);
    const newest = Math.max(...this.#contents.map(last));
    return this.#contents
      .filter((c) => now - last(c) <= Math.max(KEEP_MS, 3 * c.target) && newest - last(c) <= LEFT * c.target)
      .map((c) => c.id);
  }
}
