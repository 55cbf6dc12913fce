// The little of a service worker's world that is used here; tests make their own.

export type Port = {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((e: MessageEvent) => void) | null;
  close(): void;
};

export type FetchEvent = {
  readonly request: Request;
  readonly clientId: string;
  respondWith(r: Promise<Response>): void;
  waitUntil(p: Promise<unknown>): void;
  stopImmediatePropagation(): void;
};

export type MessageToWorker = {
  readonly data: unknown;
  readonly ports: readonly Port[];
  readonly source: { readonly id?: string } | null;
  stopImmediatePropagation(): void;
};

export type Client = { readonly id: string; postMessage(message: unknown): void };

export type Registration = {
  readonly active: { readonly scriptURL: string } | null;
  readonly waiting: { readonly scriptURL: string } | null;
  unregister(): Promise<boolean>;
};

export type Scope = {
  readonly location: { readonly origin: string; readonly pathname: string };
  readonly clients: { claim(): Promise<void>; matchAll(o: { type: "window" }): Promise<readonly Client[]> };
  readonly registration: Registration;
  fetch(request: Request | string, init?: RequestInit): Promise<Response>;
};
