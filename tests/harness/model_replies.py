"""What a model server may answer, good or bad, and how makers word it. Plain data: safe to hand to a thread."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ids = itertools.count(1)


@dataclass(frozen=True)
class Call:
    """A tool call. ``arguments``: as JSON; a text goes out as it is, broken or not."""

    name: str
    arguments: Mapping[str, object] | str = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The arguments as they go out."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model says, in no maker's words. ``usage``: tokens read and written."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    usage: tuple[int, int] = (100, 20)
    finish: str = ""
    refusal: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One response. ``answer``: worded as the path wants it. ``body`` goes out as it is.

    ``cut``: the connection ends instead.
    """

    answer: Answer | None = None
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: bool = False


def says(
    text: str,
    *,
    usage: tuple[int, int] = (100, 20),
    finish: str = "stop",
    refusal: str | None = None,
    delay_s: float = 0.0,
) -> Reply:
    """An answer in words."""
    answer = Answer(text=text, usage=usage, finish=finish, refusal=refusal)
    return Reply(answer=answer, delay_s=delay_s)


def calls(*made: Call, usage: tuple[int, int] = (100, 20)) -> Reply:
    """A wish to have tools called."""
    return Reply(answer=Answer(calls=made, usage=usage, finish="tool_calls"))


def refuses(status: int, code: str = "", message: str = "no", *, retry_after: str | None = None) -> Reply:
    """An error as OpenAI words it."""
    body = {"error": {"message": message, "type": code or "error", "code": code or None, "param": None}}
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Reply(status=status, body=json.dumps(body).encode(), headers=headers)


def garbage() -> Reply:
    """JSON that is none."""
    return Reply(body=b'{"id": "chatcmpl-1", "choi')


def html(status: int = 200) -> Reply:
    """A page of a proxy in between."""
    return Reply(status=status, body=b"<html><body>Bad gateway</body></html>", content_type="text/html")


def hangs(delay_s: float = 3600.0) -> Reply:
    """No answer for so long."""
    return Reply(answer=Answer(text="too late"), delay_s=delay_s)


def cuts_off() -> Reply:
    """The connection ends without an answer."""
    return Reply(cut=True)


def as_chat(answer: Answer, model: str) -> dict[str, Any]:
    """A chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": answer.refusal}
    if answer.calls:
        message["tool_calls"] = [
            {"id": _id("call"), "type": "function", "function": {"name": call.name, "arguments": call.text}}
            for call in answer.calls
        ]
    read, written = answer.usage
    return {
        "id": _id("chatcmpl"),
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish, "logprobs": None}],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


def as_message(answer: Answer, model: str) -> dict[str, Any]:
    """The same as Anthropic words it."""
    content: list[dict[str, Any]] = [{"type": "text", "text": answer.text}] if answer.text else []
    content += [
        {"type": "tool_use", "id": _id("toolu"), "name": call.name, "input": json.loads(call.text)}
        for call in answer.calls
    ]
    reasons = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
    return {
        "id": _id("msg"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reasons[answer.finish],
        "stop_sequence": None,
        "usage": {"input_tokens": answer.usage[0], "output_tokens": answer.usage[1]},
    }


def _id(prefix: str) -> str:
    return f"{prefix}_{next(_ids):08d}"
