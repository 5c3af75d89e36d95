// Writing a text: the live segment count, attachments, sending with Enter.

import { api } from "./api.js";
import { byId, element } from "./dom.js";
import { writeSegments } from "./words.js";

const form = byId("composer");
const body = byId("body");
const file = byId("file");
const send = byId("send");
const failure = byId("composer-error");
let attachments = [];
let measured = 0;

export function startComposer(whoAndWhere) {
  body.addEventListener("input", changed);
  body.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  body.addEventListener("paste", (event) => attach(event.clipboardData.files));
  file.addEventListener("change", () => {
    attach(file.files);
    file.value = "";
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(whoAndWhere());
  });
  changed();
}

async function submit({ person, number }) {
  if (send.disabled) return;
  const text = { from: person, to: number, body: body.value, media: await Promise.all(attachments.map(encode)) };
  failure.textContent = "";
  try {
    await api.text(text);
  } catch (error) {
    failure.textContent = error.message;
    return;
  }
  body.value = "";
  attachments = [];
  drawAttachments();
  changed();
  body.focus();
}

async function changed() {
  send.disabled = !body.value && !attachments.length;
  body.style.height = "auto";
  body.style.height = `${body.scrollHeight + 2}px`;
  const turn = ++measured;
  const size = await api.measure(body.value).catch(() => null);
  if (!size || turn !== measured) return;
  const media = attachments.length ? "MMS · " : "";
  byId("size").textContent = `${media}${writeSegments(size.encoding, size.segments)} · ${size.used}/${size.room}`;
}

function attach(files) {
  attachments.push(...[...files].slice(0, 10 - attachments.length));
  drawAttachments();
  changed();
}

function drawAttachments() {
  byId("attachments").replaceChildren(
    ...attachments.map((one) =>
      element(
        "li",
        {},
        one.type.startsWith("image/")
          ? element("img", { src: URL.createObjectURL(one), alt: one.name, onload: (event) => URL.revokeObjectURL(event.target.src) })
          : element("span", { class: "file" }, one.name),
        element("button", { type: "button", "aria-label": `Remove ${one.name}`, onclick: () => detach(one) }, "×"),
      ),
    ),
  );
}

function detach(gone) {
  attachments = attachments.filter((one) => one !== gone);
  drawAttachments();
  changed();
}

function encode(one) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(reader.error);
    reader.onload = () => resolve({ content_type: one.type || "application/octet-stream", data: reader.result.split(",")[1] ?? "" });
    reader.readAsDataURL(one);
  });
}
