"""What the bot answered, in the form of ``docs/webhook-brain.md``, becomes what is said. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from parley_brains.brain import Message, Said, Turn
from parley_brains.webhook.choices import (
    MEMORY_KEY,
    MOST_MEMORY_BYTES,
    Choice,
    memory_bytes,
    next_memory,
)
from parley_brains.webhook.elements import Misshapen, Reader, converted, pages, read_element
from parley_brains.webhook.pages import Page, sent


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A bot's answer. One of ``messages``, ``hand_over`` and ``silent`` must be there.

    ``memory``: what the bot is told at the next turn, null for what it was told now. ``hand_over``: a person is to
    go on from here. ``silent``: where there are no messages, nothing is said, not even that there is no answer.
    """

    messages: list[Any] | None = None
    memory: dict[str, str] | None = None
    hand_over: bool = False
    silent: bool = False


@dataclass(frozen=True, kw_only=True)
class Read:
    """An answer of either form, read: its messages, what a person may choose, and the rest."""

    messages: Sequence[Message]
    choices: Sequence[Choice]
    memory: Mapping[str, str] | None = None
    hand_over: bool = False
    silent: bool = False


NOTHING = Read(messages=(), choices=())


def read_answer(body: bytes, reader: Reader) -> Read:
    """Reads an answer of Parley's own form; a list is taken for its messages. Raises ``Misshapen``."""
    raw = decoded(body)
    answer = Answer(messages=raw) if isinstance(raw, list) else converted(raw, Answer, "answer")
    if answer.messages is None and not (answer.hand_over or answer.silent):
        raise Misshapen("the answer has none of messages, hand_over and silent")
    messages, choices = sent(_pages(answer.messages or [], reader))
    return Read(
        messages=messages,
        choices=choices,
        memory=answer.memory,
        hand_over=answer.hand_over,
        silent=answer.silent,
    )


def _pages(raw: Sequence[object], reader: Reader) -> list[Page]:
    found: list[Page] = []
    for number, one in enumerate(raw):
        at = f"messages[{number}]"
        element = read_element(one, at)
        if element is not None:
            found += pages(element, reader, at, first=sum(len(page.choices) for page in found) + 1)
    return found


def said(read: Read, turn: Turn) -> Said:
    """What is said. Raises ``Misshapen`` where the bot wants more remembered than fits."""
    if read.memory is not None and MEMORY_KEY in read.memory:
        raise Misshapen(f"memory holds {MEMORY_KEY}, which is a name of Parley's own")
    memory = next_memory(turn.memory, read.memory, read.choices)
    if memory is not None and memory_bytes(memory) > MOST_MEMORY_BYTES:
        raise Misshapen(f"memory and buttons take {memory_bytes(memory)} bytes, at most {MOST_MEMORY_BYTES} fit")
    return Said(messages=tuple(read.messages), memory=memory, hand_over=read.hand_over, silent=read.silent)


def decoded(body: bytes) -> object:
    """The JSON of an answer, whatever it holds. Raises ``Misshapen``."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Misshapen("the answer is no JSON") from None
    except RecursionError:
        raise Misshapen("the answer is nested too deeply") from None
