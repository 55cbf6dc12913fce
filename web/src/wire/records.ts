// Chunks over HTTP: a stream of frames, each behind its length.
import { concat, FrameError } from "./bytes.ts";
import { MAX_UPDATE } from "./constants.ts";
import { type Frame, readFrame } from "./frame.ts";

/** Cuts a body that arrives in pieces into frames; unknown ones are left out. */
export class Records {
  #held = new Uint8Array(0);

  add(piece: Uint8Array): Frame[] {
    this.#held = this.#held.length === 0 ? piece.slice() : concat(this.#held, piece);
    const out: Frame[] = [];
    let at = 0;
    while (this.#held.length - at >= 4) {
      const size = new DataView(this.#held.buffer, at).getUint32(0);
      if (size === 0 || size > MAX_UPDATE) throw new FrameError(`record of ${size} bytes`);
      if (this.#held.length - at - 4 < size) break;
      const frame = readFrame(this.#held.slice(at + 4, at + 4 + size));
      if (frame) out.push(frame);
      at += 4 + size;
    }
    this.#held = this.#held.slice(at);
    return out;
  }

  /** Tells whether the body ended between two records. */
  whole(): boolean {
    return this.#held.length === 0;
  }
}
