// Where page and worker meet: the configuration both are given and the messages
// on the MessagePort between them. Neither imports the other.

/** The line that the origin puts before both bundles. */
export type Config = {
  prefix: string;
  build: string;
  site: string; // base64url
  patterns: string[];
  relay: string; // "on", "ask" or "off"
  enabled: boolean;
  stun?: string[]; // HOST:PORT; without a host: that of the page
};

/** Page to worker, by postMessage, with the port beside it. */
export type Greeting = { tuber: "port"; build: string; leading: boolean };

/** Worker to page, by postMessage: the worker was restarted and knows no port. */
export type Reopen = { tuber: "reopen" };

/** What the player asked for; end is inclusive, as in a Range header. */
export type Request = { type: "request"; id: number; url: string; start: number | null; end: number | null; own: boolean };

export type ToPage =
  | { type: "bound" } // the port is in use
  | Request // to be taken within TAKE_MS, or BUSY_MS
  | { type: "pull"; id: number } // one more piece is welcome
  | { type: "cancel"; id: number } // nobody reads any more
  | { type: "plain"; url: string; bytes: number }; // was answered by plain HTTP

export type ToWorker =
  | { type: "leading"; leading: boolean }
  | { type: "taken"; id: number } // a head or a fetch follows
  | { type: "head"; id: number; status: number; headers: [string, string][]; from: number; total: number | null }
  | { type: "data"; id: number; bytes: ArrayBuffer } // transferred
  | { type: "wait"; id: number } // still here, nothing to give yet
  | { type: "end"; id: number }
  | { type: "fetch"; id: number } // use plain HTTP, from the byte reached
  | { type: "gone" }; // the page goes

export const TAKE_MS = 50; // a page is asked for no longer
export const BUSY_MS = 500; // or so long, if it is the page that asks: see Page.patience
export const SILENCE_MS = 2500; // a page that is silent for longer died
export const WAIT_MS = 1000; // between two signs of life
export const KEEPALIVE_MS = 20_000; // Firefox cuts a worker's stream at 30 s

/** Path under the prefix that only the worker answers. */
export const KEEPALIVE = "keepalive";

/** Returns null unless v is a configuration. */
export function readConfig(v: unknown): Config | null {
  if (typeof v !== "object" || v === null) return null;
  const c = v as Partial<Config>;
  const ok = typeof c.prefix === "string" && typeof c.build === "string" && typeof c.site === "string";
  return ok && Array.isArray(c.patterns) && typeof c.relay === "string" && typeof c.enabled === "boolean" ? (c as Config) : null;
}

/** The patterns as one test on path and query; those that do not compile are left out. */
export function matcher(c: Config): (pathAndQuery: string) => boolean {
  const tests: RegExp[] = [];
  for (const p of c.patterns) {
    try {
      tests.push(new RegExp(p));
    } catch {
      // a pattern of Go's that JavaScript lacks matches nothing
    }
  }
  return (path) => !path.startsWith(c.prefix) && tests.some((t) => t.test(path));
}
