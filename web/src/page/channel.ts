// The two ways in which control messages travel between this page and its
// planner (package control): whole texts, in order, either way.

/** onclose is called once, and after it nothing more. */
export type Channel = {
  onmessage: (text: string) => void;
  onclose: () => void;
  send(text: string): void; // queued; lost once it is closed
  close(): void; // what is queued still goes
};

/** A WebSocket. */
export function openSocket(url: string): Channel {
  const socket = new WebSocket(url);
  const channel: Channel = {
    onmessage: () => undefined,
    onclose: () => undefined,
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
  socket.onmessage = (e) => (typeof e.data === "string" ? channel.onmessage(e.data) : undefined);
  socket.onclose = () => channel.onclose();
  return channel;
}

const MAX_QUEUE = 512; // texts that wait to be posted
const MAX_POST = 64 << 10; // characters posted at once, one text apart

/** The parts of the browser that a stream of events needs. */
export type EventWorld = {
  source(url: string): Pick<EventSource, "addEventListener" | "close"> & { onerror: ((e: Event) => void) | null };
  fetch(url: string, init: RequestInit): Promise<{ ok: boolean }>;
};

const browser: EventWorld = {
  source: (url) => new EventSource(url),
  fetch: (url, init) => fetch(url, init),
};

/** Server-Sent Events one way, POSTs the other: what shares the connection of a page that came by HTTP/2. */
export function openEvents(control: string, world: EventWorld = browser): Channel {
  const source = world.source(`${control}/events`);
  const queue: string[] = [];
  let stream: string | null = null;
  let posting = false;
  let ended = false; // nothing is taken any more
  let told = false;

  const end = (): void => {
    ended = true;
    source.close(); // it would open another stream by itself
    if (told) return;
    told = true;
    channel.onclose();
  };

  /** Posts what is queued, one post after the other, so that the order holds. */
  const pump = async (): Promise<void> => {
    if (posting || stream === null) return;
    posting = true;
    try {
      while (queue.length > 0) {
        let body = "";
        while (queue[0] !== undefined && (body === "" || body.length + queue[0].length < MAX_POST)) body += queue.shift() + "\n";
        const response = await world.fetch(`${control}/send?stream=${encodeURIComponent(stream)}`, {
          method: "POST",
          headers: { "Content-Type": "text/plain" },
          body,
          cache: "no-store",
          keepalive: body.length < MAX_POST / 2, // a page that goes still says so
        });
        if (!response.ok) throw new Error("control: the stream has ended");
      }
    } catch {
      queue.length = 0;
      end();
    } finally {
      posting = false;
    }
    if (ended) end();
  };

  const channel: Channel = {
    onmessage: () => undefined,
    onclose: () => undefined,
    send(text) {
      if (ended) return;
      queue.push(text);
      if (queue.length > MAX_QUEUE) return end();
      void pump();
    },
    close() {
      if (ended) return;
      ended = true;
      if (!posting && queue.length === 0) end();
      else if (stream === null) end();
    },
  };
  source.addEventListener("stream", (e) => {
    stream = (e as MessageEvent<string>).data;
    void pump();
  });
  source.addEventListener("message", (e) => {
    if (!ended) channel.onmessage((e as MessageEvent<string>).data);
  });
  source.onerror = end;
  return channel;
}

/** True where the page came over a connection that can carry a stream of events beside all else. */
export function cameByHTTP2(): boolean {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  return entry?.nextHopProtocol === "h2" || entry?.nextHopProtocol === "h3";
}
