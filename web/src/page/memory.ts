// What the page holds: verified statements, chunks and playlists, at most MAX_BYTES together.
import type { ContentID } from "../wire/frame.ts";
import { Held } from "./held.ts";
import type { Place } from "./place.ts";

export const MAX_BYTES = 60e6;

export class Memory {
  readonly #contents = new Map<ContentID, Held>();

  of(content: ContentID, k = 1): Held {
    let held = this.#contents.get(content);
    if (!held) {
      held = new Held(content, k);
      this.#contents.set(content, held);
    }
    return held;
  }

  get(content: ContentID): Held | undefined {
    return this.#contents.get(content);
  }

  all(): Held[] {
    return [...this.#contents.values()];
  }

  drop(content: ContentID): void {
    this.#contents.delete(content);
  }

  /** The content whose playlist this URL names: after a restart of the host that of its newest epoch. */
  playlist(url: string): Held | undefined {
    let newest: Held | undefined;
    for (const h of this.#contents.values()) {
      const u = h.newest?.signed.update;
      if (u?.url === url && u.epoch > (newest?.newest?.signed.update.epoch ?? -1)) newest = h;
    }
    return newest;
  }

  /** Where this byte of this URL stands, and in which content. */
  place(url: string, at: number): { held: Held; place: Place } | undefined {
    for (const held of this.all().reverse()) {
      const place = held.placeAt(url, at); // a later content stands for a later epoch
      if (place) return { held, place };
    }
    return undefined;
  }

  bytes(): number {
    return this.all().reduce((sum, h) => sum + h.size, 0);
  }

  /** Drops the oldest runs: first those outside their playlist's window, then any. */
  trim(now: number, max = MAX_BYTES): void {
    let over = this.bytes() - max;
    for (const expiredOnly of [true, false]) {
      while (over > 0) {
        const oldest = this.all()
          .map((held) => ({ held, run: held.oldest() }))
          .filter(({ run }) => run && (!expiredOnly || run.manifest.expires <= now))
          .sort((a, b) => (a.run?.manifest.expires ?? 0) - (b.run?.manifest.expires ?? 0))[0];
        if (!oldest?.run) break;
        over -= oldest.held.forget(oldest.run);
      }
    }
    for (const held of this.all()) {
      held.tidy(now);
      const u = held.newest?.signed.update;
      if (u && u.expires <= now && this.playlist(u.url) !== held) this.drop(held.content); // of an older epoch
    }
  }
}
