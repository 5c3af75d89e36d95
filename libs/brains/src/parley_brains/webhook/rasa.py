"""What Rasa's REST channel answered becomes what is said. Pure.

It answers a list of objects with ``recipient_id`` and one or more of ``text``, ``image``, ``attachment``,
``buttons`` and ``custom``. Of ``custom`` only what stands under ``parley`` is for us.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from parley_brains.brain import Turn
from parley_brains.webhook.answer import Answer, Read, decoded
from parley_brains.webhook.elements import (
    Button,
    Element,
    Misshapen,
    Reader,
    converted,
    https_url,
    pages,
    read_element,
)
from parley_brains.webhook.pages import Page, joined, sent


class RasaMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One object of Rasa's answer."""

    recipient_id: str | None = None
    text: str | None = None
    image: str | None = None
    attachment: Any = None
    buttons: list[Button] | None = None
    custom: Any = None


class _Reading:
    """What has been read of an answer so far."""

    def __init__(self, reader: Reader) -> None:
        self.pages: list[Page] = []
        self.answer = Answer()
        self._reader = reader

    def add(self, element: Element, at: str) -> None:
        """Texts that follow one another are one message: Rasa splits a text at its blank lines."""
        first = sum(len(page.choices) for page in self.pages) + 1
        for page in pages(element, self._reader, at, first=first):
            if page.says_something:
                self._add(page)

    def _add(self, page: Page) -> None:
        before = self.pages[-1] if self.pages else None
        one = None
        if before is not None and not (before.message.files or page.message.files):
            one = joined(before, page, self._reader.most_characters)
        if one is None:
            self.pages.append(page)
        else:
            self.pages[-1] = one


def read_rasa(body: bytes, turn: Turn, reader: Reader) -> Read:
    """Reads Rasa's answer. Raises ``Misshapen``."""
    raw = decoded(body)
    if not isinstance(raw, list):
        raise Misshapen("the answer is no list")
    reading = _Reading(reader)
    for number, one in enumerate(raw):
        _read_message(reading, converted(one, RasaMessage, f"[{number}]"), turn, f"[{number}]")
    answer = reading.answer
    messages, choices = sent(reading.pages)
    return Read(
        messages=messages,
        choices=choices,
        memory=answer.memory,
        hand_over=answer.hand_over,
        silent=answer.silent,
    )


def _read_message(reading: _Reading, found: RasaMessage, turn: Turn, at: str) -> None:
    if found.recipient_id is not None and found.recipient_id != turn.conversation:
        raise Misshapen(f"{at}.recipient_id is not the sender: the answer is for somebody else")
    reading.add(Element(text=found.text or "", buttons=list(found.buttons or ())), at)
    if found.image:
        reading.add(Element(type="image", url=https_url(found.image, f"{at}.image")), at)
    attached = _attached(found.attachment)
    if attached is not None:
        reading.add(Element(type="file", url=https_url(attached, f"{at}.attachment")), at)
    if isinstance(found.custom, Mapping) and found.custom.get("parley") is not None:
        _read_custom(reading, found.custom["parley"], f"{at}.custom.parley")


def _attached(attachment: object) -> str | None:
    """The URL of an attachment, which Rasa passes on as it was written: a URL, or an object that holds one."""
    if isinstance(attachment, Mapping):
        payload = attachment.get("payload")
        attachment = (payload.get("url") or payload.get("src")) if isinstance(payload, Mapping) else None
    return attachment if isinstance(attachment, str) and attachment else None


def _read_custom(reading: _Reading, raw: object, at: str) -> None:
    """Our own form within Rasa's: an element, and what else an answer of ours may say."""
    if not isinstance(raw, Mapping):
        raise Misshapen(f"{at} is no object")
    element = read_element(raw, at)
    if element is not None:
        reading.add(element, at)
    more = converted({name: raw[name] for name in ("memory", "hand_over", "silent") if name in raw}, Answer, at)
    earlier = reading.answer
    reading.answer = Answer(
        memory=earlier.memory if more.memory is None else more.memory,
        hand_over=earlier.hand_over or more.hand_over,
        silent=earlier.silent or more.silent,
    )
