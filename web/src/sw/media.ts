import { matcher, SILENCE_MS, TAKE_MS, type Config, type ToWorker } from "../port.ts";
import { Body } from "./body.ts";
import type { Handler } from "./handler.ts";
import type { Page, Pages } from "./pages.ts";
import { parseRange } from "./range.ts";
import type { FetchEvent, Scope } from "./scope.ts";

type Head = ToWorker & { type: "head" };

/** Answers the player from chunks that a page has verified, else by plain HTTP. */
export function mediaHandler(config: Config, scope: Scope, pages: Pages, alone: boolean): Handler {
  const wanted = matcher(config);
  let ids = Math.floor(Math.random() * 2 ** 40); // unlike those of the worker before a restart

  async function ask(e: FetchEvent, page: Page, own: boolean): Promise<Response | null> {
    const id = ++ids;
    const range = parseRange(e.request.headers.get("Range"));
    if (range === "other") return null;
    const url = pathOf(e.request.url);
    const answer = answerOf(page, id, own);
    page.post({ type: "request", id, url, start: range?.start ?? null, end: range?.end ?? null, own });
    const head = await answer;
    if (!head) {
      page.post({ type: "cancel", id });
      return null;
    }
    const headers = new Headers(head.headers);
    const body = new Body({
      scope,
      page,
      id,
      request: e.request,
      from: head.from,
      end: range?.end ?? null,
      total: head.total,
      etag: headers.get("ETag"),
    });
    return new Response(body.stream(), { status: head.status, headers });
  }

  async function plain(e: FetchEvent): Promise<Response> {
    let response: Response;
    try {
      response = await scope.fetch(e.request);
    } catch {
      return Response.error(); // what the player would have seen
    }
    const bytes = Number(response.headers.get("Content-Length") ?? 0);
    (pages.own(e.clientId) ?? pages.answering(e.clientId))?.post({ type: "plain", url: e.request.url, bytes });
    return response;
  }

  return {
    name: "media",
    canHandle(e) {
      const r = e.request;
      if (r.method !== "GET" || r.mode === "navigate" || r.cache === "only-if-cached") return false;
      if (r.headers.has("Authorization") || !sameOrigin(r.url, scope.location.origin) || !wanted(pathOf(r.url))) return false;
      if (alone || pages.answering(e.clientId)) return true;
      e.waitUntil(pages.reopen(scope.clients.matchAll({ type: "window" }), TAKE_MS)); // for the next one
      return false;
    },
    async handle(e) {
      try {
        if (!pages.has(e.clientId)) await pages.reopen(scope.clients.matchAll({ type: "window" }), TAKE_MS);
        const page = pages.answering(e.clientId);
        const response = page ? await ask(e, page, page === pages.own(e.clientId)) : null;
        if (response) return response;
      } catch {
        // whatever went wrong, the origin answers
      }
      return plain(e);
    },
  };
}

/** The page's head; null for "fetch", for a page that does not take it, or that goes silent. */
function answerOf(page: Page, id: number, own: boolean): Promise<Head | null> {
  return new Promise((resolve) => {
    const finish = (head: Head | null): void => {
      clearTimeout(timer);
      stop();
      resolve(head);
    };
    let timer = setTimeout(() => {
      if (own) page.silent();
      finish(null);
    }, page.patience(own));
    const stop = page.listen(id, (m) => {
      if (m.type === "head") finish(m);
      else if (m.type === "taken" || m.type === "wait") {
        clearTimeout(timer);
        timer = setTimeout(() => finish(null), SILENCE_MS);
      } else finish(null);
    });
  });
}

function pathOf(url: string): string {
  const u = new URL(url);
  return u.pathname + u.search;
}

function sameOrigin(url: string, origin: string): boolean {
  return new URL(url).origin === origin;
}
