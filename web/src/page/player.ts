// The document's players, seen through their events: how much media they have
// ahead, and when they run dry.

type Watched = { stalled: boolean; played: boolean };

export class Player {
  readonly #media = new Map<HTMLMediaElement, Watched>();
  #shown: () => void = () => undefined;
  readonly #first = new Promise<void>((resolve) => (this.#shown = resolve));
  stalls = 0;

  /** Media events do not bubble, but a capturing listener on the document sees them. */
  watch(doc: Document): void {
    const on = (type: string, f: (m: HTMLMediaElement) => void): void =>
      doc.addEventListener(
        type,
        (e) => {
          if (e.target instanceof HTMLMediaElement) f(e.target);
        },
        { capture: true, passive: true },
      );
    on("playing", (m) => {
      const w = this.#of(m);
      w.played = true;
      w.stalled = false;
    });
    on("timeupdate", (m) => void this.#of(m));
    on("waiting", (m) => {
      const w = this.#of(m);
      if (w.played && !w.stalled && !m.seeking && !m.paused && ahead(m) < 100) {
        w.stalled = true;
        this.stalls++;
      }
    });
    on("emptied", (m) => void (this.#of(m).played = false));
    for (const type of ["loadeddata", "playing", "timeupdate"]) on(type, () => this.#shown());
  }

  /** Resolves once a player has a picture, or after ms. */
  shown(ms: number): Promise<void> {
    setTimeout(() => this.#shown(), ms);
    return this.#first;
  }

  get playing(): boolean {
    return [...this.#media.keys()].some((m) => !m.paused && !m.ended);
  }

  /**
   * The least that a playing element has ahead, in ms of wall time; null if
   * unknown. One that seeks has nothing where it goes and waits for it: peers get
   * their moment to bring it.
   */
  ahead(): number | null {
    const active = [...this.#media.keys()].filter((m) => m.isConnected && !m.paused && !m.ended && !m.seeking);
    return active.length === 0 ? null : Math.min(...active.map(ahead));
  }

  #of(m: HTMLMediaElement): Watched {
    let w = this.#media.get(m);
    if (!w) {
      w = { stalled: false, played: false };
      this.#media.set(m, w);
      for (const gone of this.#media.keys()) if (!gone.isConnected) this.#media.delete(gone);
    }
    return w;
  }
}

function ahead(m: HTMLMediaElement): number {
  const rate = Math.max(m.playbackRate, 0.1);
  for (let i = 0; i < m.buffered.length; i++) {
    const end = m.buffered.end(i);
    if (m.buffered.start(i) <= m.currentTime + 0.1 && m.currentTime <= end) return ((end - m.currentTime) * 1000) / rate;
  }
  return 0;
}
