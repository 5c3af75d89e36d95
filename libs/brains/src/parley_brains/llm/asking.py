"""Asks for one turn: the model, once more where that may help, then the fallback. Counts, traces and bounds it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from opentelemetry.trace import Span, SpanKind
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from parley_brains.llm.connection import Connection
from parley_brains.llm.failures import Cause, Failure, TextedCall, explain
from parley_brains.llm.history import estimated_usage
from parley_brains.llm.ledger import Ledger
from parley_brains.llm.limits import LEAST_S, Budget, pause
from parley_brains.llm.words import spoken, texts_a_call
from parley_common import tracing
from parley_common.tracing_attributes import server

_MORE_ROOM = 4
"""Times as many tokens for an answer where all of them went into thinking."""


class TooMuch(Exception):  # noqa: N818 - a turn of events
    """The model refuses this request; it may take one with less in it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class NoAnswer(Exception):  # noqa: N818 - a turn of events
    """No model answered; the message says why, to the operator. ``timed_out``: it did not answer in time."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.timed_out = timed_out


@dataclass(frozen=True, kw_only=True)
class Line:
    """A model that can be asked."""

    connection: Connection
    model: Model


class Asking(WrapperModel):
    """The models of one turn as pydantic-ai sees them: one that answers if any of them does.

    ``less``: what is to be told with ``TooMuch``, since the turn can be asked again with less in it.
    ``free`` bounds the requests at one time.
    """

    def __init__(
        self, lines: Sequence[Line], budget: Budget, ledger: Ledger, free: asyncio.Semaphore, *, less: Set[Cause]
    ) -> None:
        super().__init__(lines[0].model)
        self._lines = list(lines)
        self._budget = budget
        self._ledger = ledger
        self._free = free
        self._less = less

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """One answer. Raises ``NoAnswer`` or ``TooMuch``."""
        settings = model_settings or ModelSettings()
        response = await self._any(messages, settings, model_request_parameters)
        if _is_empty(response) and response.finish_reason != "content_filter":
            if response.finish_reason == "length":
                settings = ModelSettings(**{**settings, "max_tokens": settings["max_tokens"] * _MORE_ROOM})
            response = await self._any(messages, settings, model_request_parameters)
        if _is_empty(response):
            raise NoAnswer(_emptiness(response))
        return response

    def prepare_messages(
        self, messages: list[ModelMessage], model_request_parameters: ModelRequestParameters | None = None
    ) -> list[ModelMessage]:
        """As they are: each model that is asked prepares them in its own way."""
        return messages

    async def _any(
        self, messages: list[ModelMessage], settings: ModelSettings, parameters: ModelRequestParameters
    ) -> ModelResponse:
        """The answer of the first model that has one; it stays the first for the rest of the turn."""
        while True:
            failure = await self._twice(messages, settings, parameters)
            if isinstance(failure, ModelResponse):
                return failure
            if failure.cause in self._less:
                raise TooMuch(failure)
            if len(self._lines) == 1 or self._budget.left_s < LEAST_S:
                raise NoAnswer(failure.reason, timed_out=failure.cause is Cause.SLOW)
            del self._lines[0]

    async def _twice(
        self, messages: list[ModelMessage], settings: ModelSettings, parameters: ModelRequestParameters
    ) -> ModelResponse | Failure:
        """What the first model answers, asked a second time where that may help. A slow one leaves the time to the
        next, if there is one."""
        answer = await self._once(messages, settings, parameters)
        if isinstance(answer, ModelResponse):
            return answer
        again = answer.cause is Cause.PASSING or (answer.cause is Cause.SLOW and len(self._lines) == 1)
        wait_s = pause(answer.after_s)
        if not again or wait_s is None or wait_s + LEAST_S > self._budget.left_s:
            return answer
        await asyncio.sleep(wait_s)
        return await self._once(messages, settings, parameters)

    async def _once(
        self, messages: list[ModelMessage], settings: ModelSettings, parameters: ModelRequestParameters
    ) -> ModelResponse | Failure:
        async with self._free:
            line, timeout_s = self._lines[0], self._budget.for_request_s
            try:
                return await self._traced(line, messages, settings, parameters, timeout_s=timeout_s)
            except Exception as error:
                failure = explain(
                    error, line.connection.endpoint, timeout_s=timeout_s, model=line.model.model_name
                )
                if failure.cause is Cause.LASTING:
                    line.connection.forget()
                return failure

    async def _traced(
        self,
        line: Line,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
        *,
        timeout_s: float,
    ) -> ModelResponse:
        name = f"chat {line.model.model_name}"
        with tracing.span(name, SpanKind.CLIENT, attributes=_attributes(line, settings)) as span:
            async with asyncio.timeout(timeout_s):
                response = await line.model.request(
                    line.model.prepare_messages(messages, parameters),
                    ModelSettings(**{**settings, "timeout": timeout_s}),
                    parameters,
                )
            self._note(line, messages, response, span)
            cleaned = _cleaned(response)
            if any(isinstance(part, TextPart) and texts_a_call(part.content) for part in cleaned.parts):
                raise TextedCall
            return cleaned

    def _note(self, line: Line, asked: list[ModelMessage], response: ModelResponse, span: Span) -> None:
        read, written = response.usage.input_tokens, response.usage.output_tokens
        if not (read or written):
            read, written = estimated_usage(asked, response)
        self._ledger.add(line.model.model_name, read=read, written=written)
        span.set_attribute("gen_ai.usage.input_tokens", read)
        span.set_attribute("gen_ai.usage.output_tokens", written)
        if response.model_name is not None:
            span.set_attribute("gen_ai.response.model", response.model_name)
        if response.finish_reason is not None:
            span.set_attribute("gen_ai.response.finish_reasons", [response.finish_reason])


def _attributes(line: Line, settings: ModelSettings) -> dict[str, str | int]:
    endpoint = line.connection.endpoint
    attributes: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": endpoint.maker.value,
        "gen_ai.request.model": line.model.model_name,
        "gen_ai.request.max_tokens": settings["max_tokens"],
    }
    return attributes | server(endpoint.base_url)


def _cleaned(response: ModelResponse) -> ModelResponse:
    """The response with what is meant for the person: no thoughts, and a refusal as an answer."""
    parts = [
        replace(part, content=spoken(part.content)) if isinstance(part, TextPart) else part
        for part in response.parts
    ]
    kept = [part for part in parts if not isinstance(part, TextPart) or part.content]
    if refused := _refusal(response):
        return replace(response, parts=[*kept, TextPart(refused)], finish_reason="stop")
    return replace(response, parts=kept)


def _is_empty(response: ModelResponse) -> bool:
    return not any(isinstance(part, TextPart | ToolCallPart) for part in response.parts)


def _refusal(response: ModelResponse) -> str:
    """What the model said when it refused; empty where it did not, or said nothing."""
    words = (response.provider_details or {}).get("refusal")
    return words.strip() if isinstance(words, str) else ""


def _emptiness(response: ModelResponse) -> str:
    match response.finish_reason:
        case "content_filter":
            return "the model's content filter held the answer back"
        case "length":
            return "the model used up llm.answer_tokens before it said anything; allow more"
    return "the model answered nothing, twice"
