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

/**
 * Gives way if the scope has another script's worker. Registrations of a scope
 * are installed one after the other (Service Workers, "Schedule Job"): what the
 * site began before ours, and the page could not see yet, is here by now. An
 * installation that fails leaves it as it is.
 */
export async function install(config: Config, scope: Scope & { skipWaiting(): Promise<void> }): Promise<void> {
  const url = `${scope.location.origin}${config.prefix}sw.js`;
  const there = scope.registration.waiting ?? scope.registration.active;
  if (there && there.scriptURL !== url) throw new Error(`the site has its own worker, ${there.scriptURL}`);
  await scope.skipWaiting();
}
