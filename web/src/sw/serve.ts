import type { Config, Greeting } from "../port.ts";
import type { Handler } from "./handler.ts";
import { mediaHandler } from "./media.ts";
import { keepaliveHandler, offHandler } from "./own.ts";
import { Pages } from "./pages.ts";
import type { FetchEvent, MessageToWorker, Scope } from "./scope.ts";

export type Served = { onFetch(e: FetchEvent): void; onMessage(e: MessageToWorker): void };

/**
 * The worker's whole behaviour. alone is false where a site's own worker
 * imported this script: then it takes only what it can answer.
 */
export function serve(config: Config, scope: Scope, alone: boolean): Served {
  const pages = new Pages();
  const handlers: readonly Handler[] = [
    keepaliveHandler(config, scope, pages),
    offHandler(config, scope, alone),
    mediaHandler(config, scope, pages, alone),
  ];
  return {
    onFetch(e) {
      const handler = handlers.find((h) => h.canHandle(e));
      if (!handler) return;
      if (!alone) e.stopImmediatePropagation();
      e.respondWith(handler.handle(e));
    },
    onMessage(e) {
      const greeting = e.data as Partial<Greeting> | null;
      const port = e.ports[0];
      const client = e.source?.id;
      if (greeting?.tuber !== "port" || !port || !client) return;
      e.stopImmediatePropagation(); // a site's own worker need not know it
      if (greeting.build === config.build) pages.bind(client, port, greeting.leading === true);
      else port.close(); // another build: plain HTTP
    },
  };
}
