// The control routes, and the stream of events with its reconnection.

async function call(method, path, body) {
  const response = await fetch(`/_simulator/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.status === 204) return null;
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.fix ? `${answer.error}: ${answer.fix}` : answer.error);
  return answer;
}

export const api = {
  account: () => call("GET", "account"),
  thread: (person) => call("GET", `messages?latest=300&person=${encodeURIComponent(person)}`),
  text: (text) => call("POST", "inbound", text),
  measure: (body) => call("POST", "segments", { body }),
  faults: () => call("GET", "faults"),
  addFault: (rule) => call("POST", "faults", rule),
  removeFault: (id) => call("DELETE", `faults/${id}`),
  settings: () => call("GET", "settings"),
  change: (changes) => call("POST", "settings", changes),
  log: () => call("GET", "log?limit=200"),
  reset: () => call("POST", "reset"),
};

const NAMES = ["message", "log", "debugger", "faults", "settings", "reset"];

// `onState` gets "live" after every (re)connection, so that the page can ask for what it missed.
export function listen(onEvent, onState) {
  const source = new EventSource("/_simulator/events");
  source.addEventListener("hello", () => onState("live"));
  source.addEventListener("error", () => {
    onState("lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(onEvent, onState), 2000);
  });
  for (const name of NAMES) {
    source.addEventListener(name, (event) => onEvent(name, JSON.parse(event.data)));
  }
}
