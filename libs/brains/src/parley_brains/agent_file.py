"""An agent file: one agent in TOML, which brain it has and how it behaves."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from parley_brains.llm.settings import Llm
from parley_brains.scripted.script import Command, Menu, SmallTalk
from parley_brains.tools.settings import Tool
from parley_brains.webhook.settings import Webhook
from parley_brains.wording import Words

_FAILURE = "Sorry, something went wrong on our side. Please try again in a few minutes."
_EMPTY = "Sorry, I have no answer to that."
_APOLOGY = "Sorry, we could not answer your text in time. If you still need us, please text again."
_REFUSED = "You will get no more texts from us. Text START if you want them again."
_PICTURE = "I cannot see pictures. Please use words."
_CAPPED = "That is as much as we can answer today. Please text again tomorrow."


Characters = Annotated[int, msgspec.Meta(ge=40, le=32_000)]
"""A shorter answer cannot be cut where a reader would pause; a longer one is no text any more."""

Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]
Hours = Annotated[float, msgspec.Meta(gt=0, le=8760)]
Tokens = Annotated[int, msgspec.Meta(ge=0)]


class BrainName(StrEnum):
    """The brains there are."""

    SCRIPTED = "scripted"
    LLM = "llm"
    WEBHOOK = "webhook"


class WhileThinking(StrEnum):
    """What becomes of texts that arrive while the brain thinks: the next turn, or this one begun anew."""

    NEXT = "next"
    RESTART = "restart"


class ReplyLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[reply]``: how long an answer may be in characters, and how long it may take in seconds."""

    most_characters: Characters = 1600
    within_s: Seconds = 45.0


class Handoff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[handoff]``: the words by which people ask for a person, and what follows.

    ``back_words`` bring the brain back, as does ``back_after_h`` hours without anybody handing back.
    """

    words: tuple[str, ...] = ()
    reply: str = "A person will answer you here. Text BOT to go on with me."
    back_words: tuple[str, ...] = ("BOT",)
    back_reply: str = "I am back. How can I help?"
    back_after_h: Hours = 24.0


class AgentFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One agent.

    ``brain``: without one, the model where one is set, else the script. ``greeting``: said to somebody new.
    ``fallback``: said where the script knows nothing. ``failure``: the brain failed. ``empty``: it said nothing.
    ``apology``: the texts are too old. ``capped``: no more answers today. ``refused``: the person wants no
    more texts, the one thing still said to them. Nothing is said where these are empty.
    ``commands`` and ``menus``: the script. ``leave_words``: whoever is asked something leaves with one, and is
    told ``left``. ``small_talk``: what is said to a greeting or thanks. ``picture``: said by a script to what
    comes without a word. ``offer``: how to reach a person, said where the script knows nothing. ``knowledge``: a
    folder of Markdown beside the file. ``daily_tokens``: of a model, for one contact a day (UTC), 0 for no cap.
    """

    brain: BrainName | None = None
    language: str = "en"
    greeting: Words = ""
    fallback: Words = ""
    failure: str = _FAILURE
    empty: str = _EMPTY
    apology: str = _APOLOGY
    capped: str = _CAPPED
    refused: str = _REFUSED
    knowledge: str = ""
    daily_tokens: Tokens = 0
    while_thinking: WhileThinking = WhileThinking.NEXT
    reply: ReplyLimits = ReplyLimits()
    handoff: Handoff = Handoff()
    commands: dict[str, Command] = {}
    menus: dict[str, Menu] = {}
    leave_words: tuple[str, ...] = ("NEVER MIND", "NEVERMIND", "FORGET IT")
    left: Words = "All right, never mind."
    small_talk: tuple[SmallTalk, ...] = ()
    picture: Words = _PICTURE
    offer: str = ""
    llm: Llm = Llm()
    tools: dict[str, Tool] = {}
    webhook: Webhook | None = None
