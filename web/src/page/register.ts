// The worker is registered only where no other script has the scope, as far as a
// page can see; what it cannot see yet, the worker finds when it is installed.

const SCOPE = "/";
const LOADED_MS = 3000; // at most so long for the page to load
const QUIET_MS = 300; // then a registration that the site began meanwhile is visible

/**
 * What the site registers from now on. A registration is visible only once its
 * script was fetched, and until then ours would replace it.
 */
export class Begun {
  readonly #workers = navigator.serviceWorker;
  readonly #pending = new Set<Promise<unknown>>();

  constructor() {
    const register = this.#workers.register;
    this.#workers.register = (...args) => {
      const begun = register.apply(this.#workers, args);
      this.#pending.add(begun);
      return begun;
    };
  }

  /** Waits for what was begun, whatever comes of it, and looks no more. */
  async end(): Promise<void> {
    while (this.#pending.size > 0) {
      const all = [...this.#pending];
      await Promise.allSettled(all);
      for (const one of all) this.#pending.delete(one);
    }
    delete (this.#workers as { register?: unknown }).register; // the prototype's is there again
  }
}

/** True if the site's requests go, or will go, through a worker that holds our code. */
export async function register(prefix: string, begun: Begun): Promise<boolean> {
  const url = new URL(`${prefix}sw.js`, location.origin).href;
  const workers = navigator.serviceWorker;
  if (!(await workers.getRegistration(SCOPE))) await quiet(); // else ours could replace one that the site has just begun
  await begun.end();
  const there = await workers.getRegistration(SCOPE);
  const script = there?.active ?? there?.waiting ?? there?.installing;
  const inScope = there?.scope === new URL(SCOPE, location.origin).href;
  const foreign = (workers.controller && workers.controller.scriptURL !== url) || (inScope && script && script.scriptURL !== url);
  if (foreign) return true; // a site's own worker may hold our code; it takes a port if so
  await workers.register(url, { scope: SCOPE, updateViaCache: "none" });
  return true;
}

/** Waits until the page was loaded and its own scripts had their turn. */
async function quiet(): Promise<void> {
  if (document.readyState !== "complete") {
    await new Promise((resolve) => {
      addEventListener("load", resolve, { once: true });
      setTimeout(resolve, LOADED_MS);
    });
  }
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}

/** Unregisters our worker, and nobody else's. */
export async function unregister(prefix: string): Promise<void> {
  const url = new URL(`${prefix}sw.js`, location.origin).href;
  for (const r of await navigator.serviceWorker.getRegistrations()) {
    const script = r.active ?? r.waiting ?? r.installing;
    if (script?.scriptURL === url) await r.unregister();
  }
}
