"""What an agent file says of a model and of the tools it may call."""

from __future__ import annotations

import msgspec


class Llm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[llm]``.

    ``model``: ``openai:gpt-…``, ``anthropic:claude-…``, or a bare name at ``base_url``; the environment's
    PARLEY_MODEL and PARLEY_LLM_BASE_URL come first. ``fallback``: the model that is asked where the first fails.
    """

    model: str = ""
    fallback: str = ""
    base_url: str = ""
    prompt: str = ""
    history_tokens: int = 2000
    answer_tokens: int = 400
    request_timeout_s: float = 20.0
    images: bool = True


class Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table ``[tools.NAME]``: one HTTP request that a brain may have made."""

    description: str
    url: str
    method: str = "GET"
    parameters: dict[str, str] = {}
