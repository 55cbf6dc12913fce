// Unregisters the workers that Tuber brought and takes this browser out, until
// its owner wants it back. The page peer reads the same key.
const key = "tuber.off"; // there: this browser stays out
const prefix = new URL("..", import.meta.url).pathname;
const el = (id) => document.getElementById(id);

async function remove() {
  const all = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  for (const r of all) {
    const script = (r.active ?? r.waiting ?? r.installing)?.scriptURL;
    if (script && new URL(script).pathname.startsWith(prefix)) await r.unregister();
  }
}

function show(out) {
  el("now").textContent = out ? "Tuber is off in this browser" : "Tuber is on in this browser";
  el("more").textContent = out ? "The site and its videos work as before, straight from its server."
    : "It begins with the next page of this site that you open.";
  el("switch").textContent = out ? "Switch it on again" : "Switch it off";
  el("switch").disabled = false;
}

async function set(out) {
  try {
    if (out) localStorage.setItem(key, "1");
    else localStorage.removeItem(key);
    if (out) await remove();
    show(out);
  } catch (err) {
    el("now").textContent = "Your browser did not do it";
    el("more").textContent = `${err.message}. Clearing this site’s data removes Tuber too.`;
  }
}

el("switch").addEventListener("click", () => set(localStorage.getItem(key) === null));
set(true);
