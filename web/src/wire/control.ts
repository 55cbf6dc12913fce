// The control messages between a peer and its planner, as in wire/control.go.
import { FrameError, toBase64url } from "./bytes.ts";
import { MAX_CONTROL } from "./constants.ts";
import type { Role } from "./frame.ts";
import { bytes, type Codec, flag, hex, int, list, maybe, object, type Of, text, uint } from "./json.ts";

const id = hex(16);
const u64 = uint(64);
const role = (v: unknown): Role | "" => text(v) as Role | "";

const content = object({ id, url: text, k: int, rate: int, epoch: u64, target: u64 });
const range = object({ content: id, partitions: uint(8), first: u64, next: u64 });
const means = object({ upload: int, download: int, links: int, quota: u64, reach: text, relay: flag });
const assignment = object({ content: id, partitions: uint(8), to: id, rate: int, priority: uint(8) });
const source = object({ content: id, partitions: uint(8), from: id, standby: flag });
const hold = object({ content: id, partitions: uint(8), window: int, priority: uint(8) });
const introduction = object({ peer: id, key: bytes(32), role, offer: flag });
const grant = object({ content: id, rate: int });
const plan = {
  epoch: u64,
  version: u64,
  assignments: list(assignment),
  sources: list(source),
  holds: list(hold),
  introductions: list(introduction),
  grants: list(grant),
  cell: uint(32), // the planner's own: only brought along when this page joins again
};
const change = <T>(item: Codec<T>) => maybe(object({ less: list(uint(32)), more: list(item) }));
const blame = object({ content: id, number: u64 });
const linkReport = object({
  peer: id,
  sent: u64,
  received: u64,
  late: uint(32),
  rtt: int,
  behind: int,
  bad: flag,
  failed: flag,
  since: int,
  blame: maybe(blame),
  repairs: uint(32),
  twice: u64,
  busy: int,
});

/** The fields of each message; the planner's and the peer's alike. */
const shapes = {
  challenge: object({
    version: int,
    oldest: int,
    nonce: bytes(null),
    planner: bytes(32),
    certificate: bytes(null),
    epoch: u64,
    now: u64,
  }),
  join: object({
    version: int,
    key: bytes(32),
    role,
    name: text,
    fingerprint: bytes(null),
    nonce: bytes(null),
    signature: bytes(64),
    ticket: text,
    secret: bytes(null),
    means,
    ranges: list(range),
    links: list(id),
    plan: maybe(object(plan)),
    changes: flag, // it understands them
  }),
  welcome: object({ id, signature: bytes(64), stun: list(text), name: text }),
  refused: object({ code: text, sentence: text }),
  contents: object({ contents: list(content) }),
  want: object({ contents: list(id), hidden: flag, tabs: int }),
  plan: object(plan),
  change: object({
    from: u64,
    epoch: u64,
    version: u64,
    assignments: change(assignment),
    sources: change(source),
    holds: change(hold),
    introductions: change(introduction),
    grants: change(grant),
    cell: uint(32),
  }),
  signal: object({ peer: id, kind: text, attempt: uint(32), data: text }),
  report: object({
    interval: int,
    links: list(linkReport),
    ranges: list(range),
    http: u64,
    stalls: uint(32),
    latency: int,
    stored: u64,
  }),
  means,
  alive: object({ confirmed: int }),
  leave: object({ forget: flag }),
  quarantine: object({ peers: list(id) }),
  withdraw: object({ contents: list(id) }),
};

export type Content = Of<typeof content>;
export type Range = Of<typeof range>;
export type Means = Of<typeof means>;
export type Assignment = Of<typeof assignment>;
export type Source = Of<typeof source>;
export type Grant = Of<typeof grant>;
export type Introduction = Of<typeof introduction>;
export type LinkReport = Of<typeof linkReport>;
export type MessageType = keyof typeof shapes;
export type MessageOf<T extends MessageType> = { type: T } & Of<(typeof shapes)[T]>;
export type Message = { [T in MessageType]: MessageOf<T> }[MessageType];
export type PeerPlan = Omit<MessageOf<"plan">, "type">;
export type Signal = MessageOf<"signal">;

/** Returns null for a type that this version does not know; throws FrameError if malformed. */
export function decode(raw: string): Message | null {
  if (raw.length > MAX_CONTROL || new TextEncoder().encode(raw).length > MAX_CONTROL) {
    throw new FrameError(`control message of more than ${MAX_CONTROL} bytes`);
  }
  const head = parse(raw);
  const type = text(head.type);
  if (!Object.hasOwn(shapes, type)) return null;
  const shape: (v: unknown) => object = shapes[type as MessageType];
  return { type, ...shape(head) } as Message;
}

function parse(raw: string): Record<string, unknown> {
  let v: unknown;
  try {
    v = JSON.parse(raw);
  } catch {
    throw new FrameError("control message is not JSON");
  }
  if (typeof v !== "object" || v === null || Array.isArray(v)) throw new FrameError("control message is no object");
  return v as Record<string, unknown>;
}

/** What may be sent: fields that are left out are zero. */
export type Outgoing = { [T in MessageType]: { type: T } & Partial<Of<(typeof shapes)[T]>> }[MessageType];

export function encode(m: Outgoing): string {
  return JSON.stringify(m, (_, v: unknown) => (v instanceof Uint8Array ? toBase64url(v) : v === null ? undefined : v));
}

/** Tells whether p replaces old. */
export function newerPlan(p: PeerPlan, old: PeerPlan): boolean {
  return p.epoch !== old.epoch ? p.epoch > old.epoch : p.version > old.version;
}

/** The plan that follows old. Throws FrameError if old is not the plan that c was made for. */
export function changedPlan(old: PeerPlan | null, c: MessageOf<"change">): PeerPlan {
  if (old?.epoch !== c.epoch || old.version !== c.from) throw new FrameError("a change of another plan");
  return {
    epoch: c.epoch,
    version: c.version,
    cell: c.cell,
    assignments: changed(old.assignments, c.assignments),
    sources: changed(old.sources, c.sources),
    holds: changed(old.holds, c.holds),
    introductions: changed(old.introductions, c.introductions),
    grants: changed(old.grants, c.grants),
  };
}

function changed<T>(old: readonly T[], c: { less: number[]; more: T[] } | null): T[] {
  if (!c) return [...old];
  if (c.less.some((at, i) => at >= old.length || at <= (c.less[i - 1] ?? -1))) throw new FrameError("a change takes away what the plan has not");
  const less = new Set(c.less);
  return [...old.filter((_, at) => !less.has(at)), ...c.more];
}
