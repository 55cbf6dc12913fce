// The dashboard: asks for the state once a second and shows it. All text goes
// in as text, never as markup: names come from other people.
import { draw } from "./qr.js";
import { Graph, rate } from "./graph.js";

const el = (id) => document.getElementById(id);
const graph = new Graph(el("graph"));
let state; // the newest answer

async function call(path, body) {
  const answer = await fetch(path, body === undefined ? { cache: "no-store" } : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

function bytes(n) {
  for (const [unit, name] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
    if (n >= unit) return `${(n / unit).toFixed(1)} ${name}`;
  }
  return `${n} B`;
}

// span is how far off a moment is, before or after now; a day that was just begun is a day.
function span(moment) {
  const seconds = Math.abs(Date.now() - Date.parse(moment)) / 1000 + 30;
  for (const [unit, name] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
    const n = Math.floor(seconds / unit);
    if (n >= 1) return `${n} ${name}${n === 1 ? "" : "s"}`;
  }
  return "moments";
}

const plural = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;

// rows replaces a table's body; each cell is a string or an element.
function rows(table, empty, list, cells) {
  el(table).hidden = list.length === 0;
  el(empty).hidden = list.length > 0;
  el(table).tBodies[0].replaceChildren(...list.map((item) => {
    const tr = document.createElement("tr");
    for (const { text, node, kind } of cells(item)) {
      const td = document.createElement("td");
      if (kind) td.className = kind;
      td.append(...(node ?? []), text ?? "");
      tr.append(td);
    }
    return tr;
  }));
}

// sure is a button that acts on its second press, within three seconds. The
// tables are drawn anew each second, so what was pressed is remembered by key.
const pressed = new Map();
function sure(key, label, question, act) {
  const button = document.createElement("button");
  button.className = "quiet danger";
  button.dataset.key = key;
  const asked = () => Date.now() - (pressed.get(key) ?? -Infinity) < 3000;
  button.textContent = asked() ? question : label;
  button.onclick = async () => {
    if (!asked()) {
      pressed.set(key, Date.now());
      button.textContent = question;
      return;
    }
    pressed.delete(key);
    button.disabled = true;
    await attempt(act);
  };
  return button;
}

async function attempt(act) {
  el("invite-error").hidden = true;
  try {
    await act();
    await refresh();
  } catch (err) {
    el("invite-error").textContent = err.message;
    el("invite-error").hidden = false;
  }
}

function figures(s) {
  el("viewers").textContent = s.viewers;
  el("viewers-aside").textContent = s.viewers === 0 ? "nobody is watching" : s.tabs > s.viewers ? `in ${s.tabs} tabs` : "pages in the swarm";
  el("boosters").textContent = s.boosters;
  el("boosters-aside").textContent = `${plural(s.boosterList.length, "friend")} enrolled`;
  el("share").textContent = `${Math.round(100 * s.fromPeers)} %`;
  el("share-bar").setAttribute("width", 100 * Math.min(1, s.fromPeers));
  el("ratio").textContent = s.bitrate > 0 ? `${(s.upload / s.bitrate).toFixed(2)} ×` : rate(s.upload);
  el("ratio-aside").textContent = s.bitrate > 0 ? `${rate(s.upload)} of ${rate(s.bitrate)}` : "no stream is followed";
}

function sentence(s) {
  const pill = el("state");
  const [text, fine] = !s.enabled ? ["Peers are switched off", false]
    : !s.planner ? ["The planner is stopped", false]
      : s.missing ? ["More boosters wanted", false] : ["All is well", true];
  pill.textContent = text;
  pill.classList.toggle("warn", !fine);
  el("missing").hidden = !s.missing;
  el("missing").textContent = s.missing ?? "";
  el("switch").textContent = s.enabled ? "Switch peers off" : "Switch peers on";
  el("switch").classList.toggle("danger", s.enabled);
  el("site").textContent = s.site.replace(/^https?:\/\//, "").replace(/\/$/, "");
  el("site").href = s.site;
}

function lists(s) {
  rows("booster-table", "no-boosters", s.boosterList, (b) => {
    const dot = document.createElement("span");
    dot.className = b.linked ? "dot on" : "dot";
    dot.title = b.linked ? "linked now" : "away";
    return [
      { node: [dot], text: b.name || b.id.slice(0, 8), kind: "name" },
      { text: bytes(b.delivered), kind: "num" },
      { text: b.linked ? rate(b.upload) : "away", kind: "num hide-small" },
      { text: span(b.enrolled), kind: "hide-small" },
      { node: [sure(`booster ${b.id}`, "Remove", "Really remove?", () => call("/api/boosters/remove", { id: b.id }))] },
    ];
  });
  const names = new Map(s.boosterList.map((b) => [b.id, b.name || b.id.slice(0, 8)]));
  const open = s.invites.filter((v) => !v.revoked && Date.parse(v.expires) > Date.now() && (v.uses > 0 || v.usedBy?.length));
  rows("invite-table", "no-invites", open, (v) => [
    { text: v.note || v.id, kind: "name" },
    { text: v.uses > 0 ? String(v.uses) : "used", kind: "num" },
    { text: (v.usedBy ?? []).map((id) => names.get(id) ?? id.slice(0, 8)).join(", ") || "–", kind: "hide-small" },
    { text: span(v.expires) },
    v.uses > 0 ? { node: [sure(`invite ${v.id}`, "Revoke", "Really revoke?", () => call("/api/invites/revoke", { id: v.id }))] } : {},
  ]);
  rows("stream-table", "no-streams", s.contents ?? [], (c) => [
    { text: c.url, kind: "name" }, { text: rate(c.rate), kind: "num" }, { text: String(c.k), kind: "num hide-small" },
  ]);
}

async function refresh() {
  const s = await call("/api/state");
  s.boosterList ??= [];
  s.invites ??= [];
  state = s;
  const held = document.activeElement?.dataset?.key;
  figures(s);
  sentence(s);
  lists(s);
  if (held) document.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
}

async function tick() {
  try {
    await refresh();
    graph.add(state.upload, state.bitrate);
    el("lost").hidden = true;
  } catch (err) {
    el("lost").hidden = false;
    if (!(err instanceof TypeError)) el("lost").textContent = err.message;
  }
  setTimeout(tick, 1000);
}

async function copy(button, text) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy it below";
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

el("invite-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  attempt(async () => {
    const v = await call("/api/invites", {
      uses: Number(form.get("uses")), life: Number(form.get("life")) * 1e9, note: form.get("note").trim(),
    });
    el("fresh-url").textContent = v.url;
    el("fresh-command").textContent = `tuber boost '${v.url}'`;
    draw(el("fresh-qr"), v.url);
    el("fresh").hidden = false;
    event.target.reset();
  });
});
el("copy-url").addEventListener("click", (e) => copy(e.target, el("fresh-url").textContent));
el("copy-command").addEventListener("click", (e) => copy(e.target, el("fresh-command").textContent));
el("hide-fresh").addEventListener("click", () => {
  el("fresh").hidden = true;
  el("fresh-url").textContent = el("fresh-command").textContent = "";
  el("fresh-qr").replaceChildren();
});
el("switch").addEventListener("click", () => attempt(() => call("/api/enabled", { on: !state.enabled })));

tick();
