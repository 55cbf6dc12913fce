// The one gate: no byte reaches a player, a child or the memory but through it.
import { equal, sha256 } from "./bytes.ts";
import type { ContentID } from "./frame.ts";
import { sizeOf, type SignedManifest } from "./manifest.ts";

/** Bytes that are not the chunk that the manifest states. */
export class ChunkError extends Error {}

/** A chunk whose bytes matched its digest. Only verify makes it. */
export class VerifiedChunk {
  readonly #brand = true;
  readonly content: ContentID;
  readonly number: number;
  readonly data: Uint8Array; // shared by all who hold it: read only

  private constructor(content: ContentID, number: number, data: Uint8Array) {
    this.content = content;
    this.number = number;
    this.data = data;
  }

  static is(v: unknown): v is VerifiedChunk {
    return v instanceof VerifiedChunk && v.#brand;
  }

  /** Throws ChunkError unless data is exactly chunk n of the run. Keeps its own copy. */
  static async verify(signed: SignedManifest, n: number, data: Uint8Array): Promise<VerifiedChunk> {
    const m = signed.manifest;
    const digest = m.digests[n - m.first];
    if (!digest || data.length !== sizeOf(m, n)) throw new ChunkError(`chunk ${n} has ${data.length} bytes`);
    const own = data.slice();
    if (!equal(await sha256(own), digest)) throw new ChunkError(`chunk ${n} does not match its digest`);
    return new VerifiedChunk(m.content, n, own);
  }
}
