"""The conversation so far, as much of it as a budget of tokens holds. Pure.

Tokens are estimated, since exact counts need the tokenizer of the very model: three characters of ASCII make one
token, and every two bytes of anything else. English has about four characters a token, so the estimate is high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, UserPromptPart

from parley_brains.brain import Exchange
from parley_common.tail import MOST_PAST

_MESSAGE_TOKENS = 4
"""What a message takes besides its text."""

_SHORT_EXCHANGE_TOKENS = 30

NO_TEXT = "[an attachment]"


def count_tokens(text: str) -> int:
    """An estimate that is rather too high."""
    data = len(text.encode(errors="replace"))
    plain = sum(character.isascii() for character in text)
    return _MESSAGE_TOKENS + -(-plain // 3) + -(-(data - plain) // 2)


def most_exchanges(budget: int) -> int:
    """How many exchanges are worth reading for so many tokens: few are shorter than a short one."""
    return min(MOST_PAST, -(-budget // _SHORT_EXCHANGE_TOKENS))


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


def estimated_usage(asked: Sequence[ModelMessage], answer: ModelResponse) -> tuple[int, int]:
    """The tokens read and written in a request, for servers that do not tell."""
    told = [part.content for message in asked for part in message.parts if hasattr(part, "content")]
    told += [message.instructions for message in asked[-1:] if isinstance(message, ModelRequest)]
    read = sum(count_tokens(text) for content in told for text in _texts(content))
    return read, sum(count_tokens(part.content) for part in answer.parts if isinstance(part, TextPart))


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [one for one in content if isinstance(one, str)] if isinstance(content, Sequence) else []


def _answer(exchange: Exchange) -> str:
    return "\n\n".join(answer for answer in exchange.answers if answer.strip())
