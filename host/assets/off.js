// Unregisters the workers that Tuber brought and takes this browser out.
const prefix = new URL(".", import.meta.url.replace(/assets\/[^/]*$/, "")).pathname;
const script = (r) => (r.active ?? r.waiting ?? r.installing)?.scriptURL ?? "";

async function remove() {
  const all = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  const ours = all.filter((r) => new URL(script(r) || "/", location.href).pathname.startsWith(prefix));
  await Promise.all(ours.map((r) => r.unregister()));
  return ours.length;
}

const now = document.getElementById("now");
try {
  localStorage.setItem("tuber.relay", "off");
} catch { /* nothing is remembered then, and nothing takes part */ }
try {
  const n = await remove();
  now.textContent = n > 0 ? "Tuber was removed from this browser" : "Tuber was not in this browser";
} catch (err) {
  now.textContent = "Your browser did not remove it";
  document.getElementById("more").textContent = `${err.message}. Clearing this site’s data does.`;
}
