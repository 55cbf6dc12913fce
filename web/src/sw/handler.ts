import type { FetchEvent } from "./scope.ts";

/** One way to answer a request. The first that can, does; canHandle is synchronous. */
export type Handler = {
  readonly name: string;
  canHandle(e: FetchEvent): boolean;
  handle(e: FetchEvent): Promise<Response>; // never rejects
};
