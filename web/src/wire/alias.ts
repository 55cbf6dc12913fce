// What a URL's body is made of, where it is runs of other URLs; laid out as in alias.go.
import { FrameError, Reader } from "./bytes.ts";
import { CHUNK_SIZE, MAX_ALIAS_RUNS, MAX_NUMBER, MAX_RUN, MAX_SEGMENT } from "./constants.ts";

export type AliasRun = { first: number; count: number; length: number };
export type Alias = { start: number; runs: AliasRun[] };

const PREFIX = "/.tuber/alias";

/** The URL whose alias a run carries; null for every other run. */
export function aliasOf(runURL: string): string | null {
  return runURL.startsWith(`${PREFIX}/`) ? runURL.slice(PREFIX.length) : null;
}

export function parseAlias(bytes: Uint8Array): Alias {
  const r = new Reader(bytes);
  const start = r.u64();
  const count = r.u16();
  if (count === 0 || count > MAX_ALIAS_RUNS) throw new FrameError(`alias of ${count} runs`);
  const runs: AliasRun[] = [];
  let length = 0;
  for (let i = 0; i < count; i++) {
    const run = { first: r.u64(), count: r.u8(), length: r.u32() };
    if (run.count === 0 || run.count > MAX_RUN || Math.ceil(run.length / CHUNK_SIZE) !== run.count) {
      throw new FrameError(`alias: ${run.length} bytes in ${run.count} chunks`);
    }
    if (run.first > MAX_NUMBER - MAX_RUN) throw new FrameError("alias: number is out of bounds");
    length += run.length;
    runs.push(run);
  }
  if (length > MAX_SEGMENT) throw new FrameError(`alias of ${length} bytes`);
  return { start, runs };
}
