import type { Means } from "../wire/control.ts";

/** What the browser and its owner say about giving. */
export type Wishes = {
  relay: string; // the host's: "on", "ask" or "off"
  choice: string | null; // the viewer's own switch: "on", "off" or not set
  globalPrivacyControl: boolean;
  saveData: boolean;
  cellular: boolean;
};

export const UPLOAD = 20_000_000; // bit/s; the planner learns what the line really gives

/** The viewer's switch, Save-Data, cellular and privacy signals always win over the host. */
export function meansOf(w: Wishes): Partial<Means> & { upload: number; relay: boolean } {
  const host = w.relay === "on" || (w.relay === "ask" && w.choice === "on");
  const relay = host && w.choice !== "off" && !w.globalPrivacyControl && !w.saveData && !w.cellular;
  return { upload: relay ? UPLOAD : 0, links: 24, relay };
}

/** Where PREFIX privacy keeps the viewer's choice. */
export const CHOICE = "tuber.relay";

export function wishes(relay: string): Wishes {
  const n = navigator as Navigator & {
    globalPrivacyControl?: boolean;
    connection?: { saveData?: boolean; type?: string };
  };
  return {
    relay,
    choice: stored(CHOICE),
    globalPrivacyControl: n.globalPrivacyControl === true,
    saveData: n.connection?.saveData === true,
    cellular: n.connection?.type === "cellular",
  };
}

/** Null where storage is refused. */
export function stored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
