// The log: every REST request, webhook attempt and debugger entry, newest first.

import { byId, element } from "./dom.js";
import { writeClock } from "./words.js";

const MOST = 200;
const rows = element("ol", { id: "log", "aria-label": "Requests" });
const kind = element("select", { id: "kind", onchange: drawAll },
  ...[["", "Everything"], ["rest", "REST"], ["webhook", "Webhooks"], ["callback", "Status callbacks"], ["media", "Media"], ["debugger", "Errors"]]
    .map(([value, words]) => element("option", { value }, words)),
);
const NAMES = { rest: "REST", webhook: "webhook", callback: "callback", media: "media", debugger: "error" };
let entries = [];
let complaints = 0;
let waiting = false;

export function startRequests() {
  byId("requests").append(element("div", { class: "filters" }, element("label", { for: "kind" }, "Show"), kind), rows);
}

export function showLog(log) {
  complaints = log.debugger.length;
  entries = [...log.entries, ...log.debugger.map(asEntry)].sort((a, b) => b.number - a.number).slice(0, MOST);
  drawSoon();
}

export function putEntry(entry) {
  entries = [entry, ...entries].slice(0, MOST);
  drawSoon();
}

export function putComplaint(complaint) {
  complaints += 1;
  putEntry(asEntry(complaint));
}

const asEntry = (complaint) => ({ ...complaint, kind: "debugger", note: complaint.words });

// A busy simulator logs thousands of entries a second; drawing once a frame is enough.
function drawSoon() {
  if (waiting) return;
  waiting = true;
  setTimeout(() => { waiting = false; drawAll(); }, 100);
}

function drawAll() {
  const badge = byId("complaints");
  badge.hidden = complaints === 0;
  badge.textContent = complaints > 99 ? "99+" : String(complaints);
  badge.title = `${complaints} errors`;
  const shown = entries.filter((entry) => !kind.value || entry.kind === kind.value);
  rows.replaceChildren(...(shown.length ? shown.map(draw) : [element("li", { class: "hint" }, "Nothing yet.")]));
}

function draw(entry) {
  const isError = entry.kind === "debugger";
  const bad = isError || entry.status === null || entry.status >= 400;
  const result = isError ? String(entry.code) : String(entry.status ?? "no answer");
  const attempt = entry.attempt > 1 ? ` · attempt ${entry.attempt}` : "";
  return element(
    "li",
    { class: isError ? "entry complaint" : "entry", "data-tone": bad ? "bad" : "good" },
    element("span", { class: "when" }, writeClock(entry.at)),
    element("span", {}, NAMES[entry.kind]),
    element("span", { class: "url" }, isError ? entry.url || entry.sid : `${entry.method} ${shorten(entry.url)}`),
    element("span", { class: "result" }, result),
    entry.note || attempt || !isError
      ? element("span", { class: "note" }, [isError ? "" : `${entry.ms} ms${attempt}`, entry.note].filter(Boolean).join(" · "))
      : null,
  );
}

const shorten = (url) => url.replace(/\/2010-04-01\/Accounts\/AC[0-9a-f]{32}/i, "…");
