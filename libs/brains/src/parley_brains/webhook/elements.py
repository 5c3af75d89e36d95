"""One element of a bot's answer becomes a message for those who text so. Pure.

What a phone cannot show, such as a pause, is left out and never sent as text.
"""

from __future__ import annotations

import mimetypes
import re
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from parley_brains.brain import File, Kind, Message
from parley_brains.webhook.choices import Choice, lines

T = TypeVar("T")

SHOWN = ("text", "image", "video", "audio", "file")
"""The types of elements that become messages."""

_MOST_URL_CHARACTERS = 2_048
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-zA-Z0-9.+_-]+")
_UNKNOWN = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg"}


class Misshapen(Exception):  # noqa: N818 - the bot's fault, not ours
    """An answer is not as documented; the message names the field and never quotes what it holds."""


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
    kind = raw.get("type", "text")
    if not isinstance(kind, str):
        raise Misshapen(f"{at}.type is no string")
    if kind not in SHOWN:
        return None
    element = converted(raw, Element, at)
    if kind != "text" and element.url is None:
        raise Misshapen(f"{at}.url is missing")
    return element


def message(element: Element, kind: Kind, offered: list[Choice], at: str) -> Message:
    """The element as a message; what it has to choose from is added to ``offered``. Raises ``Misshapen``."""
    wording = element.whatsapp if kind is Kind.WHATSAPP else element.sms
    words = [element.text if wording is None else wording, *_links(element.buttons, at)]
    choices = [_choice(button) for button in element.buttons if not _is_link(button)]
    words.append(lines(choices, first=len(offered) + 1))
    offered += choices
    return Message(text="\n\n".join(filter(None, words)), files=_files(element, at))


def converted(raw: object, kind: type[T], at: str) -> T:
    """What was decoded, as one of our structs. Raises ``Misshapen``."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        words, _, path = str(error).partition(" - at `$")
        raise Misshapen(f"{at}{path.removesuffix('`')}: {words}") from None


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
