"""One element of a bot's answer becomes a message for those who text so. Pure.

What a phone cannot show, such as a pause, is left out and never sent as text.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from parley_brains.brain import File, Kind
from parley_brains.webhook.choices import Choice, numbered
from parley_brains.webhook.pages import GAP, Page, Row, laid_out

T = TypeVar("T")

SHOWN = ("text", "image", "video", "audio", "file")
"""The types of elements that become messages."""

_MOST_URL_CHARACTERS = 2_048
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-zA-Z0-9.+_-]+")
_UNKNOWN = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg"}


class Misshapen(Exception):  # noqa: N818 - the bot's fault, not ours
    """An answer is not as documented; the message names the field and never quotes what it holds."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whom an answer is for: what they text with, and how long a message to them may be."""

    kind: Kind
    most_characters: int


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """Something to choose. ``payload``: what the bot is told, the title where there is none.

    With a ``url`` it is a link, and nothing is chosen by it.
    """

    title: str
    payload: str | None = None
    url: str | None = None


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """A message: words, a file, or both. ``sms`` and ``whatsapp``: other words for those who text so.

    ``url``: of the file, https. ``content_type``: its MIME type, guessed from the URL where it is left out.
    """

    type: str = "text"
    text: str = ""
    sms: str | None = None
    whatsapp: str | None = None
    url: str | None = None
    content_type: str | None = None
    buttons: list[str | Button] = []


def read_element(raw: object, at: str) -> Element | None:
    """An element as it was decoded, a string being a text; None for what no phone shows. Raises ``Misshapen``."""
    if isinstance(raw, str):
        return Element(text=raw)
    if not isinstance(raw, dict):
        raise Misshapen(f"{at} is neither an object nor a string")
    kind = "text" if raw.get("type") is None else raw["type"]
    if not isinstance(kind, str):
        raise Misshapen(f"{at}.type is no string")
    if kind not in SHOWN:
        return None
    element = converted(raw, Element, at)
    if kind != "text" and element.url is None:
        raise Misshapen(f"{at}.url is missing")
    return element


def pages(element: Element, reader: Reader, at: str, *, first: int) -> list[Page]:
    """The element as messages, almost always one; its choices count from ``first``. Raises ``Misshapen``."""
    wording = element.whatsapp if reader.kind is Kind.WHATSAPP else element.sms
    words = element.text if wording is None else wording
    rows = [Row(line=link) for link in _links(element.buttons, at)]
    choices = [_choice(button) for button in element.buttons if not _is_link(button)]
    for number, choice in enumerate(choices, first):
        gap = GAP if number == first else "\n"
        rows.append(Row(line=numbered(number, choice), gap=gap, choice=choice))
    found = laid_out(words, rows, reader.most_characters)
    found[0] = replace(found[0], message=replace(found[0].message, files=_files(element, at)))
    return found


def converted(raw: object, kind: type[T], at: str) -> T:
    """What was decoded, as one of our structs; a field that is null is as if left out. Raises ``Misshapen``."""
    try:
        return msgspec.convert(_without_nulls(raw), kind)
    except msgspec.ValidationError as error:
        words, _, path = str(error).partition(" - at `$")
        raise Misshapen(f"{at}{path.removesuffix('`')}: {words}") from None


def _without_nulls(value: object, depth: int = 3) -> object:
    """As deep as our own form is; what lies deeper is others'."""
    if depth and isinstance(value, dict):
        return {name: _without_nulls(inner, depth - 1) for name, inner in value.items() if inner is not None}
    if depth and isinstance(value, list):
        return [_without_nulls(inner, depth - 1) for inner in value]
    return value


def https_url(url: str, at: str) -> str:
    """The URL if Twilio can fetch it. Nothing else may pass: it would be taken for a file of this machine."""
    try:
        parts = urlsplit(url)
        understood = parts.scheme == "https" and bool(parts.hostname) and not parts.username
    except ValueError:
        understood = False
    if not understood or not url.isascii() or not url.isprintable() or " " in url:
        raise Misshapen(f"{at} is no https URL")
    if len(url) > _MOST_URL_CHARACTERS:
        raise Misshapen(f"{at} is longer than {_MOST_URL_CHARACTERS} characters")
    return url


def _is_link(button: str | Button) -> bool:
    return isinstance(button, Button) and button.url is not None


def _links(buttons: list[str | Button], at: str) -> list[str]:
    return [
        f"{' '.join(button.title.split())}: {https_url(button.url, f'{at}.buttons[{n}].url')}"
        for n, button in enumerate(buttons)
        if isinstance(button, Button) and button.url is not None
    ]


def _choice(button: str | Button) -> Choice:
    if isinstance(button, str):
        return Choice(title=button, payload=button)
    return Choice(title=button.title, payload=button.title if button.payload is None else button.payload)


def _files(element: Element, at: str) -> tuple[File, ...]:
    if element.url is None:
        return ()
    url = https_url(element.url, f"{at}.url")
    if element.content_type is not None and not _CONTENT_TYPE.fullmatch(element.content_type):
        raise Misshapen(f"{at}.content_type is no MIME type")
    guessed = mimetypes.guess_type(urlsplit(url).path)[0] or _UNKNOWN.get(element.type, "application/octet-stream")
    return (File(source=url, content_type=element.content_type or guessed),)
