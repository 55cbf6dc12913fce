// Shows the invite that is in the address of this page. The fragment is read
// here and goes nowhere else: no request is made after the page was loaded.
import { draw } from "./qr.js";

const el = (id) => document.getElementById(id);

function show() {
  const secret = location.hash.slice(1);
  const whole = /^[A-Za-z0-9_-]{100,300}$/.test(secret);
  el("invite").hidden = !whole;
  el("none").hidden = whole;
  if (!whole) return;
  const rest = `${location.host}${location.pathname}#${secret}`;
  el("host").textContent = location.hostname;
  el("open").href = `tuber://${rest}`;
  el("command").textContent = `tuber boost 'https://${rest}'`;
  el("copy").onclick = () => copy(el("copy"), `https://${rest}`);
  el("copy-command").onclick = () => copy(el("copy-command"), el("command").textContent);
  draw(el("qr"), `https://${rest}`);
}

async function copy(button, text) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch { // no clipboard without a secure context
    getSelection().selectAllChildren(el("command"));
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

addEventListener("hashchange", show);
show();
