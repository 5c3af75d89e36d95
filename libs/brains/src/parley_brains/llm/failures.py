"""What became of a request that a model did not answer: in words for the operator, and what to do about it. Pure.

No sentence here repeats what a server said: it may quote a text or a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelTimeoutError,
    UnexpectedModelBehavior,
    UserError,
)

from parley_brains.llm.endpoints import Endpoint

_NO_ANSWER = "{server} answers with what is no answer of a model"


class TextedCall(Exception):  # noqa: N818 - a turn of events
    """The model wrote a call of a tool as text."""


class Cause(Enum):
    """What is to be done: ask again, ask for less, or ask elsewhere."""

    PASSING = auto()
    SLOW = auto()
    TOO_LONG = auto()
    REFUSED = auto()
    LASTING = auto()


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One request's. ``after_s``: how long the server wants to be left alone; None where it did not say."""

    reason: str
    cause: Cause
    after_s: float | None = None


_KINDS: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], str, Cause]] = (
    (
        TextedCall,
        "{server} passes calls of tools on as text: it has no tool parser for {model}; start it with one",
        Cause.LASTING,
    ),
    ((TimeoutError, ModelTimeoutError, ModelRequestTimeout), "{server} did not answer within {time}", Cause.SLOW),
    (ModelQuotaExceededError, "{server} says that its quota is used up", Cause.LASTING),
    (ModelRateLimitError, "{server} is out of quota for now", Cause.PASSING),
    (ModelAuthenticationError, "{server} refused the key", Cause.LASTING),
    (ModelNotFoundError, "{server} does not know {model}", Cause.LASTING),
    (ModelContextWindowExceededError, "the turn is too long for {model} at {url}", Cause.TOO_LONG),
    (ModelRequestRejectedError, "{server} refused the request", Cause.REFUSED),
    (ModelConnectionError, "{server} cannot be reached", Cause.PASSING),
    (ModelHTTPError, "{server} failed", Cause.PASSING),
    ((ModelAPIError, UnexpectedModelBehavior), _NO_ANSWER, Cause.PASSING),
    (UserError, "{model} at {url} cannot take the request", Cause.REFUSED),
    (Exception, _NO_ANSWER, Cause.PASSING),
)
"""The first that fits tells."""


def explain(error: Exception, endpoint: Endpoint, *, timeout_s: float, model: str = "") -> Failure:
    """The failure of a request. ``model``: which one was asked.

    The makers' clients stumble over answers in ways of their own, so any other error is an answer that is none.
    """
    words, cause = next((words, cause) for kinds, words, cause in _KINDS if isinstance(error, kinds))
    if isinstance(error, ModelConnectionError) and cause is Cause.PASSING and error.phase in ("read", "write"):
        words = "{server} broke off the connection"
    reason = words.format(
        server=f"the model server at {endpoint.server}",
        url=endpoint.server,
        model=f"the model {model or endpoint.model}" if model or endpoint.model else "any model",
        time=f"{timeout_s:.3g} s",
    )
    code = f" ({error.status_code})" if isinstance(error, ModelHTTPError) else ""
    return Failure(reason=f"{reason}{code}", cause=cause, after_s=getattr(error, "retry_after", None))
