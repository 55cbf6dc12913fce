// A host before a test's site, as its owner sees it: through the dashboard.
import { run, folder } from "./programs.mjs";

// host starts `tuber host` and waits for its addresses.
export async function host(t, site, { args = [], env = {} } = {}) {
  const dir = folder(t);
  const p = run(t, ["host", "--upstream", site.url, "--listen", "127.0.0.1:0", "--control-listen", "127.0.0.1:0",
    "--udp-listen", ":0", "--stun-listen", "off", "--no-upnp", "--state", dir, "--public-host", "127.0.0.1", ...args], { env });
  const [, page] = await p.line(/site\s+(https?:\S+)/);
  const [, dashboard] = await p.line(/dashboard\s+(http:\S+)/);
  const key = new URL(dashboard).searchParams.get("key");
  const api = new URL("/api/", dashboard);
  const call = async (method, path, body) => {
    const r = await fetch(new URL(path, api), {
      method, headers: { Authorization: "Bearer " + key, ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await r.text();
    if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text}`);
    return JSON.parse(text);
  };
  // localhost, not 127.0.0.1: both are secure contexts, people type the name.
  return Object.assign(p, {
    dir, dashboard,
    page: page.replace("127.0.0.1", "localhost"),
    state: () => call("GET", "state"),
    invite: async (uses = 1) => (await call("POST", "invites", { uses })).url,
    planner: (on) => call("POST", "planner", { on }),
    enabled: (on) => call("POST", "enabled", { on }),
  });
}

// booster joins by an invite, with state of its own.
export function booster(t, invite, { dir = folder(t), args = [] } = {}) {
  return Object.assign(run(t, ["boost", "--state", dir, "--listen", ":0", "--no-upnp", ...args, ...(invite ? [invite] : [])]), { dir });
}
