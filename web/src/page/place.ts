// Where runs stand in the bodies of URLs. A run stands under the URL that it was
// cut under, and again wherever an alias names it.
import type { Alias } from "../wire/alias.ts";
import { CHUNK_SIZE } from "../wire/constants.ts";
import type { SignedManifest } from "../wire/manifest.ts";

export type Place = {
  first: number; // number of the run's first chunk
  count: number; // chunks: all full but the last
  length: number; // bytes
  start: number; // where the segment begins in its URL's body
  offset: number; // where the run begins in it
  ends: boolean; // the run ends its segment
  ranged: boolean; // the segment is a byte range of the body
  alias: boolean; // an alias says so
  told: SignedManifest; // the statement that says so; its headers are the segment's
};

export function placeOf(run: SignedManifest): Place {
  const m = run.manifest;
  const ranged = m.ranged || m.start > 0;
  return { first: m.first, count: m.digests.length, length: m.length, start: m.start, offset: m.offset, ends: m.ends, ranged, alias: false, told: run };
}

/** The places that an alias gives; told is the run that carried it. */
export function placesOf(alias: Alias, told: SignedManifest): Place[] {
  let offset = alias.start;
  return alias.runs.map((run, i) => {
    const ends = i === alias.runs.length - 1;
    const place = { ...run, start: alias.start, offset, ends, ranged: alias.start > 0, alias: true, told };
    offset += run.length;
    return place;
  });
}

/** Where the run ends in its URL's body. */
export function endOf(p: Place): number {
  return p.offset + p.length;
}

/** The number after the run's last chunk. */
export function nextOf(p: Place): number {
  return p.first + p.count;
}

/** Bytes of chunk n of the run. */
export function sizeOf(p: Place, n: number): number {
  return n === nextOf(p) - 1 ? p.length - (p.count - 1) * CHUNK_SIZE : CHUNK_SIZE;
}

/** Which chunk of the run holds this byte of its URL. */
export function numberAt(p: Place, at: number): number {
  return p.first + Math.floor((at - p.offset) / CHUNK_SIZE);
}
