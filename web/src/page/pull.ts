// What is asked of standbys while the one who should send is gone and the planner
// has not yet found another: without a source neither chunks nor the playlists
// and manifests that name them would come.
import type { Source } from "../wire/control.ts";
import type { ContentID } from "../wire/frame.ts";

const ORPHAN_MS = 300; // without a source its standby is asked
const EVERY_MS = 500;

export type Wish = { from: string; partitions: number };

export class Pull {
  readonly #orphans = new Map<ContentID, { since: number; asked: number }>();

  /** Whom to ask now, and for which partitions of this content; those of `still` a sender of the plan before brings. */
  due(content: ContentID, sources: readonly Source[], alive: (peer: string) => boolean, still: number, now: number): Wish[] {
    const of = sources.filter((s) => s.content === content);
    let left = of.filter((s) => !s.standby && !alive(s.from)).reduce((all, s) => all | s.partitions, 0) & ~still;
    if (left === 0) {
      this.#orphans.delete(content);
      return [];
    }
    const orphan = this.#orphans.get(content) ?? { since: now, asked: -Infinity };
    this.#orphans.set(content, orphan);
    if (now - orphan.since < ORPHAN_MS || now - orphan.asked < EVERY_MS) return [];
    orphan.asked = now;
    const wishes: Wish[] = [];
    for (const s of of) {
      if (!s.standby || (s.partitions & left) === 0 || !alive(s.from)) continue;
      wishes.push({ from: s.from, partitions: s.partitions & left });
      left &= ~s.partitions;
    }
    return wishes;
  }
}
