// Whose phone you hold: some fictional numbers, and your own.

import { byId, element } from "./dom.js";
import { writeNumber } from "./words.js";

const PRESETS = ["+12025550111", "+14155550132", "+13125550147", "+16465550158"];
const TINTS = ["#2f6db5", "#9a4fb0", "#b3552d", "#1f7f83", "#7a6a1f", "#a33b5e"];
const STORED = "parley-phones";
const unread = new Map();
let people = [...PRESETS, ...stored()];
let chosen = PRESETS[0];
let onChoice = () => {};

export const holder = () => chosen;

export function startPeople(listener) {
  onChoice = listener;
  byId("add-person").addEventListener("submit", add);
  draw();
}

export function noteUnread(person) {
  if (person === chosen || !people.includes(person)) return;
  unread.set(person, (unread.get(person) ?? 0) + 1);
  draw();
}

function add(event) {
  event.preventDefault();
  const field = byId("new-person");
  const number = field.value.replace(/[^\d+]/g, "");
  const failure = byId("add-person-error");
  failure.hidden = /^\+[1-9]\d{6,14}$/.test(number);
  failure.textContent = failure.hidden ? "" : "Write it with its country code, such as +12025550170.";
  if (!failure.hidden) return;
  if (!people.includes(number)) people.push(number);
  localStorage.setItem(STORED, JSON.stringify(people.filter((one) => !PRESETS.includes(one))));
  field.value = "";
  choose(number);
}

function choose(number) {
  chosen = number;
  unread.delete(number);
  draw();
  onChoice();
}

function draw() {
  byId("people").replaceChildren(
    ...people.map((number, place) => {
      const letter = String.fromCharCode(65 + (place % 26));
      const avatar = element("span", { class: "avatar", "aria-hidden": "true" }, letter);
      avatar.style.setProperty("--tint", TINTS[place % TINTS.length]);
      const waiting = unread.get(number);
      return element(
        "li",
        {},
        element(
          "button",
          { type: "button", class: "person", "aria-current": String(number === chosen), onclick: () => choose(number) },
          avatar,
          writeNumber(number),
          waiting ? element("span", { class: "badge", "aria-label": `${waiting} new` }, String(waiting)) : null,
        ),
      );
    }),
  );
}

function stored() {
  try {
    const numbers = JSON.parse(localStorage.getItem(STORED) ?? "[]");
    return Array.isArray(numbers) ? numbers.filter((one) => typeof one === "string" && !PRESETS.includes(one)) : [];
  } catch {
    return [];
  }
}
