/** The origin's clock: its now at one moment plus monotonic time. No wall clock is trusted. */
export class OriginClock {
  #offset = 0;

  set(originNow: number, monotonic = performance.now()): void {
    this.#offset = originNow - monotonic;
  }

  now(monotonic = performance.now()): number {
    return this.#offset + monotonic;
  }
}
