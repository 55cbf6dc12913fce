// Long ctl frames travel in parts; parts of one frame follow each other.
import { concat, FrameError } from "./bytes.ts";
import { MAX_FRAME, MAX_UPDATE } from "./constants.ts";
import { type Part, writeFrame } from "./frame.ts";

/** Cuts an encoded ctl frame into messages of at most MAX_FRAME bytes. */
export function split(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  if (frame.length <= MAX_FRAME) return [frame];
  const room = MAX_FRAME - 2;
  const out: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < frame.length; at += room) {
    const last = at + room >= frame.length;
    out.push(writeFrame({ type: "part", last, bytes: frame.subarray(at, at + room) }));
  }
  return out;
}

/** Puts parts together again, for one link. */
export class Joiner {
  #held: Uint8Array[] = [];
  #size = 0;

  /** Returns the whole frame with its last part, null before. */
  add(p: Part): Uint8Array<ArrayBuffer> | null {
    this.#size += p.bytes.length;
    if (this.#size > MAX_UPDATE) {
      this.#held = [];
      this.#size = 0;
      throw new FrameError(`parts of more than ${MAX_UPDATE} bytes`);
    }
    this.#held.push(p.bytes.slice());
    if (!p.last) return null;
    const whole = concat(...this.#held);
    this.#held = [];
    this.#size = 0;
    return whole;
  }
}
