/**
 * The URLs of the STUN servers that the host configured. One without a host is
 * asked at the name by which the page came; on this machine none is of use.
 */
export function stunServers(configured: string[], pageHost: string): string[] {
  if (pageHost === "localhost" || pageHost.startsWith("127.") || pageHost === "[::1]") return [];
  return configured.map((at) => `stun:${at.startsWith(":") ? pageHost : ""}${at}`);
}
