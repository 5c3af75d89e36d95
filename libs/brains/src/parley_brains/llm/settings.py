"""What an agent file says of a model."""

from __future__ import annotations

import msgspec

SEARCH, HAND_OVER = OWN_TOOLS = ("search_knowledge", "hand_over_to_a_person")
"""Tools of Parley's own, whose names no other may have."""


class Llm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[llm]``.

    ``model``: ``openai:gpt-…``, ``anthropic:claude-…``, or a bare name at ``base_url``; the environment's
    PARLEY_MODEL and PARLEY_LLM_BASE_URL come first. ``fallback``: the model that is asked where the first fails.
    ``history_tokens``: how much of the conversation so far is told. ``answer_tokens``: how long an answer may be.
    ``thinking``: whether a model of OpenAI's or Anthropic's thinks before it answers as it likes, or as little as
    it can. ``most_at_once``: requests to a model at one time; further turns wait.
    """

    model: str = ""
    fallback: str = ""
    base_url: str = ""
    prompt: str = ""
    history_tokens: int = 2000
    answer_tokens: int = 400
    request_timeout_s: float = 20.0
    images: bool = True
    thinking: bool = False
    most_at_once: int = 200
