"""The conversation so far, as much of it as a budget of tokens holds. Pure.

Tokens are estimated, since exact counts need the tokenizer of the very model: three characters of ASCII make one
token, and every two bytes of anything else. English has about four characters a token, so the estimate is high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart

from parley_brains.brain import Exchange

_MESSAGE_TOKENS = 4
"""What a message takes besides its text."""

NO_TEXT = "[an attachment]"


def count_tokens(text: str) -> int:
    """An estimate that is rather too high."""
    data = len(text.encode(errors="replace"))
    plain = sum(character.isascii() for character in text)
    return _MESSAGE_TOKENS + -(-plain // 3) + -(-(data - plain) // 2)


def fitting(past: Sequence[Exchange], budget: int) -> tuple[Exchange, ...]:
    """The newest exchanges that fit into so many tokens together, oldest first; none is cut into."""
    kept: list[Exchange] = []
    for exchange in reversed(past):
        if not any(answer.strip() for answer in exchange.answers):
            continue
        told = replace(exchange, text=exchange.text.strip() or NO_TEXT)
        budget -= count_tokens(told.text) + count_tokens(_answer(told))
        if budget < 0:
            break
        kept.append(told)
    return tuple(reversed(kept))


def messages(past: Sequence[Exchange]) -> list[ModelMessage]:
    """Exchanges as a model reads them."""
    found: list[ModelMessage] = []
    for exchange in past:
        found.append(ModelRequest(parts=[UserPromptPart(content=exchange.text)]))
        found.append(ModelResponse(parts=[TextPart(content=_answer(exchange))]))
    return found


def _answer(exchange: Exchange) -> str:
    return "\n\n".join(answer for answer in exchange.answers if answer.strip())
