// Single chunks over HTTP: the same frames as on links, verified the same way.
import type { ContentID } from "../wire/frame.ts";
import { Records } from "../wire/records.ts";
import type { Intake } from "./intake.ts";
import { listOf } from "./numbers.ts";
import type { Speed } from "./speed.ts";

const TIMEOUT_MS = 10_000;
const MAX_LIST = 256; // numbers in one request

/** Where chunks over HTTP come from, in reports of bad ones. */
export const HTTP = "http";

export class Fetcher {
  readonly #prefix: string;
  readonly #intake: Intake;
  readonly #speed: Speed;
  readonly #flying = new Set<string>();

  constructor(prefix: string, intake: Intake, speed: Speed) {
    this.#prefix = prefix;
    this.#intake = intake;
    this.#speed = speed;
  }

  get speed(): { rate: number; delay: number } {
    return this.#speed.now;
  }

  /** The host's word for what its line can spare, bit/s. */
  atMost(rate: number): void {
    this.#speed.atMost(rate);
  }

  flying(content: ContentID, number: number): boolean {
    return this.#flying.has(`${content}/${number}`);
  }

  /** Fetches what is not under way already; rejects if the server does not deliver. */
  async fetch(content: ContentID, numbers: readonly number[]): Promise<void> {
    const due = numbers.filter((n) => !this.flying(content, n)).slice(0, MAX_LIST);
    if (due.length === 0) return;
    for (const n of due) this.#flying.add(`${content}/${n}`);
    try {
      await this.#get(`${this.#prefix}chunks/${content}?list=${listOf(due)}`);
    } finally {
      for (const n of due) this.#flying.delete(`${content}/${n}`);
    }
  }

  async #get(url: string): Promise<void> {
    const began = performance.now();
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), credentials: "omit", cache: "no-store" });
    if (!response.ok || !response.body) throw new Error(`chunks: status ${response.status}`);
    const delay = performance.now() - began;
    const records = new Records();
    const reader = response.body.getReader();
    let bytes = 0;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      bytes += value.length;
      await this.#take(records, value);
    }
    this.#speed.measured(bytes, delay, performance.now() - began - delay);
    if (!records.whole()) throw new Error("chunks: the answer was cut short");
  }

  async #take(records: Records, piece: Uint8Array): Promise<void> {
    for (const f of records.add(piece)) {
      const now = performance.now();
      if (f.type === "update") await this.#intake.update(f, now);
      else if (f.type === "chunk") await this.#intake.chunk(f, HTTP, now);
    }
  }
}
