import { KEEPALIVE, type Config } from "../port.ts";
import type { Handler } from "./handler.ts";
import type { Pages } from "./pages.ts";
import type { Scope } from "./scope.ts";

/** Answers the page's sign of life; the header says whether its port is known. */
export function keepaliveHandler(config: Config, scope: Scope, pages: Pages): Handler {
  const url = scope.location.origin + config.prefix + KEEPALIVE;
  return {
    name: "keepalive",
    canHandle: (e) => e.request.url === url,
    handle: async (e) => new Response(null, { status: 204, headers: { "Tuber-Port": pages.has(e.clientId) ? "1" : "0" } }),
  };
}

/** Unregisters the worker on PREFIX off and ?tuber=off, and lets the request pass. */
export function offHandler(config: Config, scope: Scope, alone: boolean): Handler {
  return {
    name: "off",
    canHandle(e) {
      if (e.request.mode !== "navigate") return false;
      const u = new URL(e.request.url);
      const off = u.pathname === `${config.prefix}off` || u.searchParams.get("tuber") === "off";
      if (off && alone) e.waitUntil(scope.registration.unregister());
      return false;
    },
    handle: (e) => scope.fetch(e.request),
  };
}
