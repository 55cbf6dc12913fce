// Low-latency playlists (rfc8216bis): how far one goes, and how far a player asks
// it to go before it is answered.

export type Tip = {
  next: number; // media sequence number after the last whole segment
  parts: number; // parts listed of that next segment
  lastParts: number; // and of the last whole one
  part: number; // ms, the longest part; 0 where none are listed
  ended: boolean;
};

/** The delivery directives of a request (section 6.2.5.2). */
export type Directive = { sequence: number; part: number | null };

const known = new WeakMap<Uint8Array, Tip>();

export function tipOf(playlist: Uint8Array): Tip {
  let tip = known.get(playlist);
  if (!tip) {
    tip = read(new TextDecoder().decode(playlist));
    known.set(playlist, tip);
  }
  return tip;
}

function read(text: string): Tip {
  const tip: Tip = { next: 0, parts: 0, lastParts: 0, part: 0, ended: false };
  for (const line of text.split(/\r?\n/)) {
    const tag = (name: string): string | null => (line.startsWith(name) ? line.slice(name.length) : null);
    if (line === "") continue;
    if (!line.startsWith("#")) {
      tip.next++;
      tip.lastParts = tip.parts;
      tip.parts = 0;
    } else if (line.startsWith("#EXT-X-PART:")) tip.parts++;
    else if (line === "#EXT-X-ENDLIST") tip.ended = true;
    else if (tag("#EXT-X-MEDIA-SEQUENCE:")) tip.next = Number(tag("#EXT-X-MEDIA-SEQUENCE:")) || 0;
    else if (tag("#EXT-X-PART-INF:")) tip.part = 1000 * Number(/PART-TARGET=([\d.]+)/.exec(line)?.[1] ?? 0);
  }
  return tip;
}

/** The playlist's own URL, and what the request asks of it; null: whatever it is. */
export function directiveOf(url: string): { url: string; ask: Directive | null } {
  const at = url.indexOf("?");
  if (at < 0 || !url.includes("_HLS_", at)) return { url, ask: null };
  const pairs = url.slice(at + 1).split("&");
  const kept = pairs.filter((p) => !p.startsWith("_HLS_"));
  const number = (name: string): number | null => {
    const value = pairs.find((p) => p.startsWith(name))?.slice(name.length);
    return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : null;
  };
  const sequence = number("_HLS_msn=");
  const plain = url.slice(0, at) + (kept.length > 0 ? `?${kept.join("&")}` : "");
  return { url: plain, ask: sequence === null ? null : { sequence, part: number("_HLS_part=") } };
}

/** True once the playlist goes as far as asked. A part after a segment's last one is the first of the next. */
export function reached(t: Tip, d: Directive): boolean {
  if (t.ended || d.sequence < t.next - 1) return true;
  if (d.sequence >= t.next) return d.sequence === t.next && d.part !== null && d.part < t.parts;
  return (d.part ?? 0) < t.lastParts || t.lastParts === 0 || t.parts > 0;
}
