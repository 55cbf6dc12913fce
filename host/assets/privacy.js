// The viewer's own switch. The page peer of this origin reads the same key.
const key = "tuber.relay"; // "on", "off" or nothing
const mode = document.documentElement.dataset.relay; // the host's: "on", "ask" or "off"
const el = (id) => document.getElementById(id);

function choice() {
  try { return localStorage.getItem(key); } catch { return "off"; }
}

// takes tells whether this browser passes on; hold it to meansOf in the page peer.
const takes = () => (mode === "on" || (mode === "ask" && choice() === "on")) && choice() !== "off";

function show() {
  const signal = navigator.globalPrivacyControl === true;
  const data = navigator.connection?.saveData === true || navigator.connection?.type === "cellular";
  const yes = takes() && !signal && !data;
  el("now").textContent = yes ? "You pass videos on" : "You pass nothing on";
  el("why").textContent = signal ? "Your browser sends the Global Privacy Control signal."
    : mode === "off" ? "The owner of this site wants nothing passed on by viewers."
      : data ? "Your line is mobile, or saves data."
        : yes ? "This browser also sends what it watches to a few other viewers."
          : "This browser receives from the site and its boosters alone.";
  el("switch").textContent = takes() ? "Pass nothing on" : "Pass videos on";
  el("switch").disabled = signal || mode === "off";
}

el("switch").addEventListener("click", () => {
  try {
    localStorage.setItem(key, takes() ? "off" : "on");
    show();
  } catch {
    el("why").textContent = "Your browser does not let the site remember a choice, so nothing is passed on.";
  }
});
addEventListener("storage", show);
show();
