// The bubbles of one person and one of the account's numbers.

import { byId, element } from "./dom.js";
import { tickOf, writeDay, writeSegments, writeTime } from "./words.js";

const list = byId("chat");
const texts = new Map();
let filter = () => false;
let atEnd = true;
let webhooks = "your webhook";

export function nameWebhooks(url) {
  webhooks = url;
}

// Events may come in while a thread is asked for. They are in order, so what they said of a text stays.
export function startThread(belongs) {
  filter = belongs;
  texts.clear();
}

export function fillThread(messages) {
  for (const message of messages) {
    if (!texts.has(message.sid)) texts.set(message.sid, { message, row: null });
  }
  redraw();
}

export function putText(message) {
  const known = texts.get(message.sid);
  if (known && known.message.arrived_at === message.arrived_at && known.row) {
    known.message = message;
    fill(known.row, message);
    stayAtEnd();
    return;
  }
  texts.set(message.sid, { message, row: null });
  redraw();
}

export const knows = (sid) => texts.has(sid);

// A phone shows texts in the order in which they got there; what has not arrived yet comes last.
function inOrder() {
  return [...texts.values()]
    .filter(({ message }) => filter(message))
    .sort((a, b) => placeOf(a.message) - placeOf(b.message) || a.message.sequence - b.message.sequence);
}

const placeOf = (message) => message.arrived_at ?? message.updated_at;

function redraw() {
  const rows = [];
  let day = "";
  for (const text of inOrder()) {
    const today = writeDay(text.message.accepted_at);
    if (today !== day) rows.push(element("li", { class: "day" }, today));
    day = today;
    text.row ??= element("li", {});
    fill(text.row, text.message);
    rows.push(text.row);
  }
  if (!rows.length) rows.push(element("li", { class: "empty" }, `No texts yet. Write one below; it is posted to ${webhooks} as Twilio would.`));
  list.replaceChildren(...rows);
  stayAtEnd();
}

function fill(row, message) {
  const mine = message.direction === "inbound";
  const [words, tone] = tickOf(message);
  row.className = mine ? "text mine" : "text";
  row.dataset.sid = message.sid;
  row.dataset.arrived = message.arrived_at === null ? "no" : "yes";
  row.dataset.state = mine ? message.answer : message.status;
  const size = message.num_media ? "MMS" : writeSegments(message.encoding, message.segments);
  row.replaceChildren(
    ...message.media.map(drawMedium),
    ...(message.body ? [element("div", { class: "bubble" }, message.body)] : []),
    element(
      "div",
      { class: "meta" },
      element("time", { datetime: new Date(message.accepted_at * 1000).toISOString() }, writeTime(message.accepted_at)),
      element("span", {}, size),
      element("span", { class: "tick", "data-tone": tone }, words),
    ),
  );
}

function drawMedium(medium) {
  if (medium.content_type.startsWith("image/")) {
    return element("img", { class: "picture", src: medium.url, alt: "Picture", onload: stayAtEnd });
  }
  return element("a", { class: "file", href: medium.url, target: "_blank", rel: "noopener" }, medium.content_type);
}

// Whoever reads old texts is left there; whoever is at the end stays at the end as texts come and grow.
function stayAtEnd() {
  if (atEnd) list.scrollTop = list.scrollHeight;
}

export function toEnd() {
  atEnd = true;
  stayAtEnd();
}

list.addEventListener("scroll", () => {
  atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
});
new ResizeObserver(stayAtEnd).observe(list);
