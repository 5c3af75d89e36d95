"""What an agent file says of a script: what each keyword does, and what people choose from by number."""

from __future__ import annotations

from typing import Annotated

import msgspec

from parley_brains.wording import Words

_UNKNOWN = "Sorry, I do not know which one you mean."
_GAVE_UP = "Sorry, I could not make sense of that, so let us leave it."

Again = Annotated[int, msgspec.Meta(ge=0, le=5)]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a command has to know first.

    ``slot``: the name of the answer, in replies as ``{slot}``, and of the parameter of a tool. ``pattern``: a
    regular expression for the answer, which stands in the text as a word of its own; any text is an answer without
    one. ``mismatch``: said before the question is asked again, at most ``again`` times.
    """

    slot: str
    question: Words
    pattern: str = ""
    mismatch: Words = ""
    again: Again = 2


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a keyword does: its answer, and one line for the menu. ``{text}`` stands for what follows the word.

    ``also``: more words for the same, and phrases that are a whole text. ``questions`` are asked one by one.
    ``tool``: what is asked for the ``{result}`` in the reply; of an answer in JSON, ``{result.name}`` is a part.
    ``failed``: said where the tool has no answer, in place of the agent's failure message. ``gave_up``: said after
    too many wrong answers.
    """

    reply: Words
    menu: str = ""
    also: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    tool: str = ""
    failed: Words = ""
    gave_up: Words = _GAVE_UP


class SmallTalk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said to a text that is one of ``words`` and nothing else: words, phrases, or emoji."""

    words: tuple[str, ...]
    reply: Words


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be chosen, and the one thing it leads to: a reply, a command or another menu."""

    label: str
    reply: Words = ""
    command: str = ""
    menu: str = ""


class Menu(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table ``[menus.NAME]``, opened by its name: a prompt, and choices that are numbered from 1.

    ``unknown``: said once, before the menu is shown again, to an answer that is none of its choices.
    """

    prompt: Words
    choices: tuple[Choice, ...]
    menu: str = ""
    also: tuple[str, ...] = ()
    unknown: Words = _UNKNOWN
