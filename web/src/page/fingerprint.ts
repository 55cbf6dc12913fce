/** The SHA-256 DTLS fingerprint in a session description; null if there is not exactly one. */
export function fingerprintOf(sdp: string): Uint8Array<ArrayBuffer> | null {
  const found = new Set<string>();
  for (const m of sdp.matchAll(/^a=fingerprint:sha-256 ([0-9a-f:]+)\s*$/gim)) if (m[1]) found.add(m[1].toLowerCase());
  const only = [...found][0];
  return found.size === 1 && only ? parseFingerprint(only) : null;
}

/** Reads 32 bytes as "ab:cd:..."; null if it is anything else. */
export function parseFingerprint(text: string): Uint8Array<ArrayBuffer> | null {
  const bytes = text.split(":").map((b) => (/^[0-9a-f]{2}$/i.test(b) ? parseInt(b, 16) : -1));
  return bytes.length === 32 && !bytes.includes(-1) ? Uint8Array.from(bytes) : null;
}
