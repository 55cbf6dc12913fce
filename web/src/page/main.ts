// The page peer. It never throws into the site and leaves one global: tuber.
import { readConfig, type Config } from "../port.ts";
import { stored } from "./means.ts";
import { Begun, register, unregister } from "./register.ts";
import { startPeer } from "./peer.ts";
import { supported } from "./support.ts";

/** Where PREFIX off keeps a viewer's opt-out. */
const OFF = "tuber.off";

type PageScope = { __TUBER__?: unknown; tuber?: { stats(): unknown } };

async function start(config: Config): Promise<void> {
  const scope = window as unknown as PageScope;
  if (!isSecureContext || !("serviceWorker" in navigator)) return;
  const off = new URLSearchParams(location.search).get("tuber") === "off" || stored(OFF) !== null;
  if (off || !config.enabled) return unregister(config.prefix);
  const begun = new Begun();
  if (!(await supported())) return begun.end();
  const stats = startPeer(config);
  scope.tuber = { stats };
  await register(config.prefix, begun);
}

const scope = window as unknown as PageScope;
const config = readConfig(scope.__TUBER__);
delete scope.__TUBER__;
if (config && !scope.tuber) start(config).catch(() => undefined); // the site goes on without
