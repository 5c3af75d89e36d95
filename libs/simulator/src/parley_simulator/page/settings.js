// Delays, rates and limits, and the reset of everything.

import { api } from "./api.js";
import { byId, element } from "./dom.js";

const NUMBERS = [
  ["sent_after_s", "Seconds until sent"],
  ["delivered_after_s", "Seconds from sent to delivered"],
  ["jitter_s", "Random extra seconds, lets texts overtake"],
  ["segments_per_s", "Segments per second and sender (empty: no limit)"],
  ["rest_latency_s", "Seconds every REST answer takes"],
  ["rest_concurrency", "REST requests at one time (empty: no limit)"],
];
const SWITCHES = [
  ["report_sending", "Report the status “sending”"],
  ["status_callbacks", "Post status callbacks"],
  ["opt_out_keywords", "Handle STOP, START and HELP"],
  ["advanced_opt_out", "Webhooks carry OptOutType"],
];
const OPTIONAL = new Set(["segments_per_s", "rest_concurrency"]);
const inputs = new Map();
const failure = element("p", { class: "error", role: "alert" });

export function startSettings() {
  byId("settings").append(
    ...NUMBERS.map(drawNumber),
    ...SWITCHES.map(drawSwitch),
    failure,
    element(
      "div",
      { class: "actions" },
      element("button", { type: "button", class: "quiet", onclick: () => api.reset() }, "Reset everything"),
      element("span", { class: "hint" }, "Forgets all texts, faults and settings."),
    ),
  );
}

export function showSettings(settings) {
  for (const [name, input] of inputs) {
    if (input.type === "checkbox") input.checked = settings[name];
    else if (document.activeElement !== input) input.value = settings[name] ?? "";
  }
}

function drawNumber([name, words]) {
  const input = element("input", { type: "number", min: "0", step: "any", inputmode: "decimal", onchange: () => change(name, input) });
  inputs.set(name, input);
  return element("label", { class: "field" }, element("span", {}, words), input);
}

function drawSwitch([name, words]) {
  const input = element("input", { type: "checkbox", role: "switch", onchange: () => change(name, input) });
  inputs.set(name, input);
  return element("label", { class: "switch" }, input, element("span", {}, words));
}

async function change(name, input) {
  failure.textContent = "";
  const value = input.type === "checkbox" ? input.checked : input.value === "" && OPTIONAL.has(name) ? null : Number(input.value);
  try {
    showSettings(await api.change({ [name]: value }));
  } catch (error) {
    failure.textContent = error.message;
    showSettings(await api.settings());
  }
}
