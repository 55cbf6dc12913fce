// The rest of a body by plain HTTP, from the byte reached: byte-exact or an error.
import type { Scope } from "./scope.ts";

export type Tail = {
  request: Request;
  reached: number; // next byte of the URL's body
  end: number | null; // last byte wanted, inclusive
  total: number | null; // length of the URL's body, if known
  etag: string | null;
};

/** Throws unless exactly the wanted bytes come. */
export async function fetchTail(scope: Scope, t: Tail): Promise<ReadableStream<Uint8Array>> {
  const headers = new Headers(t.request.headers);
  headers.set("Range", `bytes=${t.reached}-${t.end ?? ""}`);
  if (t.etag && !t.etag.startsWith("W/")) headers.set("If-Range", t.etag);
  const response = await scope.fetch(t.request.url, { headers, credentials: t.request.credentials, cache: "no-store" });
  if (!response.body) throw new Error("no body");
  if (response.status === 206) {
    const m = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers.get("Content-Range") ?? "");
    const total = m?.[3] === undefined || m[3] === "*" ? null : Number(m[3]);
    const other = t.total !== null && total !== null && total !== t.total;
    if (!m || Number(m[1]) !== t.reached || other) throw new Error("another range came");
    return response.body;
  }
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  const etag = response.headers.get("ETag");
  const length = response.headers.get("Content-Length");
  if (t.etag && etag && etag !== t.etag) throw new Error("the body changed");
  if (t.total !== null && length !== null && !response.headers.get("Content-Encoding") && Number(length) !== t.total) {
    throw new Error("the body changed");
  }
  return response.body.pipeThrough(cut(t.reached, t.end));
}

/** Lets bytes first to last (inclusive; null: all) of a body pass. */
function cut(first: number, last: number | null): TransformStream<Uint8Array, Uint8Array> {
  let at = 0;
  return new TransformStream({
    transform(piece, controller) {
      const from = Math.max(0, first - at);
      const to = last === null ? piece.length : Math.min(piece.length, last + 1 - at);
      at += piece.length;
      if (from < to) controller.enqueue(piece.subarray(from, to));
    },
  });
}
