"""Reading the answer of an inbound webhook: what Twilio texts back, and what it complains about.

Pure. Does not send anything and fetches no redirect; `inbound` turns the result into texts.
"""

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree

MAX_BYTES = 64 * 1024
MAX_REPLIES = 10
_TWIML_TYPES = {"text/xml", "application/xml", "text/html"}
_MESSAGE_VERBS = {"Message", "Sms"}


@dataclass(frozen=True, slots=True)
class Reply:
    """One text that the answer asks for; `to` is empty for the person who wrote."""

    body: str
    media_urls: tuple[str, ...] = ()
    to: str = ""
    status_callback: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A debugger entry: Twilio's code and a sentence."""

    code: int
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer means: texts to send and problems to report."""

    replies: tuple[Reply, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def read_answer(content_type: str | None, body: bytes) -> Answer:
    """Read a 2xx answer the way Twilio does: TwiML, or a text that goes to the person as it is."""
    if len(body) > MAX_BYTES:
        return _problem(11750, "the answer is larger than 64 kB")
    if not body.strip():
        return Answer()
    kind = (content_type or "").split(";")[0].strip().lower()
    if not kind:
        return _problem(12300, "the answer has a body and no Content-Type")
    if kind == "text/plain":
        return Answer(replies=(Reply(body.decode("utf-8", "replace")),))
    if kind not in _TWIML_TYPES:
        return _problem(12300, f"the answer's Content-Type {kind} is neither TwiML nor text")
    return _read_document(body)


def _problem(code: int, words: str) -> Answer:
    return Answer(problems=(Problem(code, words),))


def _read_document(body: bytes) -> Answer:
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", body, re.IGNORECASE):
        return _problem(12100, "the answer declares a document type, TwiML has none")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - entities were refused above, 64 kB at most
    except ElementTree.ParseError as error:
        return _problem(12100, f"the answer is not well-formed XML: {error}")
    if root.tag != "Response":
        return _problem(12100, f"the answer's root element is {root.tag}, not Response")
    return _read_verbs(root)


def _read_verbs(root: ElementTree.Element) -> Answer:
    replies = [_read_message(verb) for verb in root if verb.tag in _MESSAGE_VERBS]
    problems = [
        Problem(12200, f"the verb {verb.tag} is not followed here")
        for verb in root
        if verb.tag not in _MESSAGE_VERBS
    ]
    if len(replies) > MAX_REPLIES:
        problems.append(Problem(14109, f"{len(replies)} replies in one answer, only {MAX_REPLIES} are sent"))
    return Answer(replies=tuple(replies[:MAX_REPLIES]), problems=tuple(problems))


def _read_message(verb: ElementTree.Element) -> Reply:
    bodies = verb.findall("Body")
    text = "".join(body.text or "" for body in bodies) if bodies else (verb.text or "").strip()
    return Reply(
        body=text,
        media_urls=tuple((media.text or "").strip() for media in verb.findall("Media")),
        to=verb.get("to", ""),
        status_callback=verb.get("action", "") or verb.get("statusCallback", ""),
    )
