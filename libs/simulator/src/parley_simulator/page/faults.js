// The fault switches: each is one rule of the simulator, whoever switched it on.

import { api } from "./api.js";
import { byId, element } from "./dom.js";

const GROUPS = [
  ["Sending over REST", [
    ["429 Too Many Requests (20429)", { where: "create", what: "status", status: 429, code: 20429 }],
    ["503 Service unavailable", { where: "create", what: "status", status: 503, code: 20503 }],
    ["Slow: each answer takes 3 s", { where: "create", what: "delay", delay_s: 3 }],
    ["Connection lost before anything happened", { where: "create", what: "reset_before" }],
    ["Connection lost after the message was created", { where: "create", what: "reset_after_create" }],
    ["500 although the message was created", { where: "create", what: "status_after_create", status: 500, code: 20500 }],
    ["Callback arrives before the answer", { where: "create", what: "callback_before_response" }],
  ]],
  ["Delivery", [
    ["Unreachable handset (30003)", { where: "create", what: "async_error", code: 30003 }],
    ["Filtered by the carrier (30007)", { where: "create", what: "async_error", code: 30007 }],
    ["No final status ever", { where: "create", what: "never_final" }],
  ]],
  ["Status callbacks", [
    ["Posted twice", { where: "callback", what: "duplicate_callbacks" }],
    ["In reverse order", { where: "callback", what: "reorder_callbacks" }],
    ["Lost", { where: "callback", what: "drop_callback" }],
  ]],
  ["Texts to your webhook", [
    ["Posted twice", { where: "webhook", what: "duplicate_webhook" }],
    ["Answer lost, so Twilio tries again", { where: "webhook", what: "lost_answer" }],
    ["Filtered, never posted (30039)", { where: "webhook", what: "drop_webhook" }],
    ["3 s late", { where: "webhook", what: "delay", delay_s: 3 }],
    ["Media not there at first (404)", { where: "media", what: "media_404_first" }],
  ]],
];

const often = element("select", { id: "often" },
  element("option", { value: "1" }, "the next time"),
  element("option", { value: "3" }, "the next 3 times"),
  element("option", { value: "" }, "until switched off"),
);
often.value = "";
const switches = new Map();
const others = element("div", { class: "group", hidden: true });
let active = [];

export function startFaults() {
  byId("faults").append(
    element("div", { class: "often" }, element("label", { for: "often" }, "A fault strikes"), often),
    ...GROUPS.map(([title, faults]) => element("div", { class: "group" }, element("h3", {}, title), ...faults.map(drawSwitch))),
    others,
  );
}

export function showFaults(list) {
  active = list.filter((one) => one.left === null || one.left > 0);
  for (const [rule, { input, count }] of switches) {
    const found = active.find((one) => isOf(one, rule));
    input.checked = Boolean(found);
    count.textContent = found ? tally(found) : "";
  }
  drawOthers(active.filter((one) => ![...switches.keys()].some((rule) => isOf(one, rule))));
}

function drawSwitch([words, rule]) {
  const input = element("input", { type: "checkbox", role: "switch", onchange: () => toggle(rule, input) });
  const count = element("span", { class: "count" });
  switches.set(rule, { input, count });
  return element("label", { class: "switch" }, input, element("span", {}, words), count);
}

async function toggle(rule, input) {
  input.disabled = true;
  try {
    if (input.checked) await api.addFault({ ...rule, times: often.value ? Number(often.value) : null });
    else await Promise.all(active.filter((one) => isOf(one, rule)).map((one) => api.removeFault(one.id)));
  } finally {
    input.disabled = false;
    showFaults(await api.faults());
  }
}

// Rules with a match or a probability come from a script; they get a row of their own.
function isOf({ rule }, preset) {
  const free = !Object.values(rule.match).some(Boolean) && rule.probability === 1;
  return free && Object.entries(preset).every(([name, value]) => rule[name] === value);
}

const tally = (one) => (one.left === null ? `${one.fired}×` : `${one.fired}×, ${one.left} left`);

function drawOthers(list) {
  others.hidden = !list.length;
  others.replaceChildren(
    element("h3", {}, "Switched on by a script"),
    ...list.map((one) =>
      element(
        "div",
        { class: "field" },
        element("span", {}, `${one.rule.what} at ${one.rule.where} (${tally(one)})`),
        element("button", { type: "button", class: "quiet", onclick: () => api.removeFault(one.id) }, "Switch off"),
      ),
    ),
  );
}
