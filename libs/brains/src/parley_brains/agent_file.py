"""An agent file: one agent in TOML, which brain it has and how it behaves."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from parley_brains.llm.settings import Llm, Tool
from parley_brains.scripted.script import Command
from parley_brains.webhook.settings import Webhook
from parley_brains.wording import Words

_FAILURE = "Sorry, something went wrong on our side. Please try again in a few minutes."
_EMPTY = "Sorry, I have no answer to that."
_APOLOGY = "Sorry, we could not answer your text in time. If you still need us, please text again."
_CAPPED = "That is as much as we can answer today. Please text again tomorrow."


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

    most_characters: int = 1600
    within_s: float = 45.0


class Handoff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[handoff]``: the words by which people ask for a person, and what follows.

    ``back_words`` bring the brain back, as does ``back_after_h`` hours without anybody handing back.
    """

    words: tuple[str, ...] = ()
    reply: str = "A person will answer you here. Text BOT to go on with me."
    back_words: tuple[str, ...] = ("BOT",)
    back_reply: str = "I am back. How can I help?"
    back_after_h: float = 24.0


class AgentFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One agent.

    ``brain``: without one, the model where one is set, else the script. ``greeting``: said to somebody new.
    ``fallback``: said where the script knows nothing. ``failure``: the brain failed. ``empty``: it said nothing.
    ``apology``: the texts are too old. ``capped``: no more answers today. Nothing is said where these are empty.
    ``knowledge``: a folder of Markdown beside the file. ``daily_tokens``: of a model, for one contact a day (UTC),
    0 for no cap.
    """

    brain: BrainName | None = None
    language: str = "en"
    greeting: Words = ""
    fallback: Words = ""
    failure: str = _FAILURE
    empty: str = _EMPTY
    apology: str = _APOLOGY
    capped: str = _CAPPED
    knowledge: str = ""
    daily_tokens: int = 0
    while_thinking: WhileThinking = WhileThinking.NEXT
    reply: ReplyLimits = ReplyLimits()
    handoff: Handoff = Handoff()
    commands: dict[str, Command] = {}
    llm: Llm = Llm()
    tools: dict[str, Tool] = {}
    webhook: Webhook | None = None
