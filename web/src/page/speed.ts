/** HTTP as measured here: a moving average that trusts news by four tenths. */
export class Speed {
  #rate: number; // bytes per ms
  #delay = 100; // ms until the first byte

  constructor(bitsPerSecond: number) {
    this.#rate = bitsPerSecond / 8000;
  }

  /** It is no faster than this, says the host, bit/s. */
  atMost(bitsPerSecond: number): void {
    this.#rate = Math.min(this.#rate, bitsPerSecond / 8000);
  }

  /** A transfer of this many bytes: ms until its first byte, and ms from there to its last. */
  measured(bytes: number, delay: number, ms: number): void {
    this.#delay += 0.4 * (delay - this.#delay);
    if (bytes >= 32 << 10 && ms > 0) this.#rate += 0.4 * (bytes / ms - this.#rate);
  }

  get now(): { rate: number; delay: number } {
    return { rate: this.#rate, delay: this.#delay };
  }
}
