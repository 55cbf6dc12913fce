// The service worker. Its listeners are attached synchronously, as the browser requires.
import { readConfig } from "../port.ts";
import { install } from "./own.ts";
import type { FetchEvent, MessageToWorker, Scope } from "./scope.ts";
import { serve } from "./serve.ts";

type Lifecycle = { waitUntil(p: Promise<unknown>): void };
type WorkerScope = Scope & {
  __TUBER__?: unknown;
  skipWaiting(): Promise<void>;
  addEventListener(type: "fetch", f: (e: FetchEvent) => void): void;
  addEventListener(type: "message", f: (e: MessageToWorker) => void): void;
  addEventListener(type: "install" | "activate", f: (e: Lifecycle) => void): void;
};

const scope = self as unknown as WorkerScope;
const config = readConfig(scope.__TUBER__);
if (config && !config.enabled) {
  // The host switched peers off: a worker that an earlier visit left goes by itself.
  scope.addEventListener("install", (e) => e.waitUntil(scope.skipWaiting()));
  scope.addEventListener("activate", (e) => e.waitUntil(scope.registration.unregister()));
} else if (config) {
  const alone = scope.location.pathname === `${config.prefix}sw.js`;
  const served = serve(config, scope, alone);
  scope.addEventListener("fetch", (e) => served.onFetch(e));
  scope.addEventListener("message", (e) => served.onMessage(e));
  if (alone) {
    scope.addEventListener("install", (e) => e.waitUntil(install(config, scope)));
    scope.addEventListener("activate", (e) => e.waitUntil(scope.clients.claim()));
  }
}
