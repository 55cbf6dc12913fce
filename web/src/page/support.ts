/** Tells whether this browser has all that a page peer needs. */
export async function supported(): Promise<boolean> {
  if (!isSecureContext || typeof RTCPeerConnection === "undefined" || !("serviceWorker" in navigator)) return false;
  if (typeof BroadcastChannel === "undefined" || !navigator.locks || typeof WebSocket === "undefined") return false;
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}
