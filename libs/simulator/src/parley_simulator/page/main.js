// Puts the page together: loads the state after every connection, then follows the events.

import { api, listen } from "./api.js";
import { fillThread, knows, nameWebhooks, putText, startThread, toEnd } from "./chat.js";
import { startComposer } from "./composer.js";
import { byId, element } from "./dom.js";
import { showFaults, startFaults } from "./faults.js";
import { holder, noteUnread, startPeople } from "./people.js";
import { putComplaint, putEntry, showLog, startRequests } from "./requests.js";
import { showSettings, startSettings } from "./settings.js";
import { writeNumber } from "./words.js";

const number = byId("number");
const STATES = { connecting: "Connecting", live: "Live", lost: "Reconnecting" };

const personOf = (message) => (message.direction === "inbound" ? message.from : message.to);
const lineOf = (message) => (message.direction === "inbound" ? message.to : message.from);

// While a Messaging Service still picks its number, a message has none; it belongs to every line.
const belongs = (message) => personOf(message) === holder() && [null, number.value].includes(lineOf(message));

async function openThread() {
  const person = holder();
  byId("holder").textContent = `You hold ${writeNumber(person)}`;
  startThread(belongs);
  const page = await api.thread(person);
  if (person !== holder()) return;
  fillThread(page.messages);
  toEnd();
}

function showChosen() {
  openThread().catch(() => showState("lost"));
}

async function reload() {
  await loadNumbers();
  const [faults, settings, log] = await Promise.all([api.faults(), api.settings(), api.log()]);
  showFaults(faults);
  showSettings(settings);
  showLog(log);
  await openThread();
}

async function loadNumbers() {
  const { numbers, public_url: url } = await api.account();
  nameWebhooks(url);
  if (numbers.length === number.options.length) return;
  number.replaceChildren(...numbers.map((one) => element("option", { value: one }, writeNumber(one))));
}

function onMessage(message) {
  if (personOf(message) === holder()) putText(message);
  else if (message.direction !== "inbound" && message.status === "delivered" && !knows(message.sid)) noteUnread(personOf(message));
}

const EVENTS = {
  message: onMessage,
  log: putEntry,
  debugger: putComplaint,
  faults: showFaults,
  settings: showSettings,
  reset: catchUp,
};

function showState(state) {
  const live = byId("live");
  live.dataset.state = state;
  live.textContent = STATES[state];
  if (state === "live") catchUp();
}

// The simulator may go away between the connection and the answers.
function catchUp() {
  reload().catch(() => setTimeout(catchUp, 1000));
}

function startTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const choose = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      byId(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  };
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(place + step + tabs.length) % tabs.length];
      choose(next);
      next.focus();
    });
  }
}

function startPanel() {
  const toggle = byId("panel-toggle");
  toggle.addEventListener("click", () => {
    const open = document.body.classList.toggle("panel-open");
    toggle.setAttribute("aria-expanded", String(open));
    toggle.textContent = open ? "Phone" : "Workbench";
  });
}

startTabs();
startPanel();
startFaults();
startRequests();
startSettings();
startPeople(showChosen);
number.addEventListener("change", showChosen);
startComposer(() => ({ person: holder(), number: number.value }));
listen((name, payload) => EVENTS[name](payload), showState);
