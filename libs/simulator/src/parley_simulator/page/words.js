// How things are written: numbers, times, sizes, ticks.

export function writeNumber(number) {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  return parts ? `+1 (${parts[1]}) ${parts[2]}-${parts[3]}` : number;
}

export const writeTime = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

export const writeClock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });

export const writeDay = (seconds) =>
  new Date(seconds * 1000).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });

export const writeSegments = (encoding, count) => `${encoding} · ${count} segment${count === 1 ? "" : "s"}`;

const OUTBOUND = {
  accepted: ["○ Accepted", "warn"],
  scheduled: ["○ Scheduled", "warn"],
  queued: ["○ Queued", "warn"],
  sending: ["○ Sending", "warn"],
  sent: ["✓ Sent", ""],
  delivered: ["✓✓ Delivered", "good"],
  canceled: ["✕ Canceled", "bad"],
  failed: ["✕ Failed", "bad"],
  undelivered: ["✕ Not delivered", "bad"],
};

const ANSWERS = {
  pending: ["○ Webhook sent", "warn"],
  retrying: ["↻ Webhook retrying", "warn"],
  answered: ["✓ Webhook answered", "good"],
  failed: ["✕ Webhook failed", "bad"],
};

// Returns [words, tone] for what the bot sent or what the person sent.
export function tickOf(message) {
  const mine = message.direction === "inbound";
  const [words, tone] = (mine ? ANSWERS[message.answer] : OUTBOUND[message.status]) ?? [message.status, ""];
  const code = mine ? message.answer_code : message.error_code;
  const note = mine ? message.answer_note : message.error_message;
  const attempts = mine && message.answer_attempts > 1 ? `, ${message.answer_attempts} attempts` : "";
  return [`${words}${attempts}${code ? ` · ${code}` : ""}${note ? ` ${note}` : ""}`, tone];
}
