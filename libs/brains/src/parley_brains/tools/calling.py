"""Calls the tools of an agent file: HTTP requests to the declared URLs, and to nothing else.

A request follows no redirect and keeps no cookie, its answer is bounded in size and time, and a credential that
the answer repeats is blotted out before a model reads it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
from opentelemetry.trace import SpanKind

from parley_brains.origins import tell_no_urls
from parley_brains.tools.requests import Declared, Request, ToolFailed, build_request, declare
from parley_brains.tools.settings import Method, Parameter, ParameterType, Tool
from parley_common import tracing
from parley_common.settings import Environment
from parley_common.tracing_attributes import STATUS_CODE, http_client

__all__ = ["Method", "Parameter", "ParameterType", "Tool", "ToolFailed", "Tools"]

MOST_BYTES = 65_536
"""Of an answer; a longer one is no answer."""

MOST_CHARACTERS = 6_000
"""Of an answer as it is passed on; the rest is left out."""

_AT_ONCE = 100
_LEAST_SECRET = 4
_BLOT = "•••"
_CUT = "\n[the rest was too long]"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_READABLE = ("text/plain", "text/markdown", "text/csv", "application/json", "application/xml", "text/xml")


class Tools:
    """The tools of one agent file. Raises ``SettingsError`` where one cannot be called as it is declared."""

    def __init__(self, tools: Mapping[str, Tool], environment: Environment) -> None:
        self._declared = {name: declare(name, tool, environment) for name, tool in tools.items()}
        self._free = asyncio.Semaphore(_AT_ONCE)
        tell_no_urls()
        self._client = httpx2.AsyncClient(
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
            headers={"User-Agent": "parley", "Accept-Encoding": "identity"},
        )

    async def call(self, name: str, arguments: Mapping[str, object], *, key: str) -> str:
        """The answer's text; raises ``ToolFailed``. ``key`` goes out as Idempotency-Key."""
        declared = self._declared.get(name)
        if declared is None:
            raise ToolFailed("there is no such tool")
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
        }
        with tracing.span(f"execute_tool {name}", SpanKind.CLIENT, attributes=attributes) as span:
            request = build_request(declared, arguments)
            span.set_attributes(http_client(request.url, method=declared.tool.method.value))
            try:
                async with self._free, asyncio.timeout(declared.tool.timeout_s):
                    return await self._ask(declared, request, key)
            except TimeoutError:
                raise ToolFailed(f"it did not answer within {declared.tool.timeout_s:g} s") from None
            except (httpx2.TransportError, httpx2.InvalidURL):
                raise ToolFailed("it cannot be reached") from None

    async def close(self) -> None:
        """Ends the connections."""
        await self._client.aclose()

    async def _ask(self, declared: Declared, request: Request, key: str) -> str:
        headers = {**declared.headers, "Idempotency-Key": key}
        tracing.inject(headers)
        content = None
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(request.body).encode()
        asked = self._client.stream(
            declared.tool.method.value,
            request.url,
            headers=headers,
            content=content,
            timeout=declared.tool.timeout_s,
        )
        async with asked as answer:
            tracing.current().set_attribute(STATUS_CODE, answer.status_code)
            _refuse(answer)
            return _blotted(_text(await _read(answer)), declared.secrets)


def _refuse(answer: httpx2.Response) -> None:
    """An answer that is none."""
    status = answer.status_code
    if not 200 <= status < 300:
        raise ToolFailed(f"it answered {status} ({_PHRASES.get(status, 'unknown')})")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise ToolFailed("it answered in a compressed form that was not asked for")
    kind = answer.headers.get("Content-Type", "text/plain").partition(";")[0].strip().lower()
    if kind not in _READABLE and not kind.endswith(("+json", "+xml")):
        raise ToolFailed(f"it answered with {kind[:40]}, and should with JSON or plain text")


async def _read(answer: httpx2.Response) -> bytes:
    data = b""
    async for chunk in answer.aiter_raw():
        data += chunk
        if len(data) > MOST_BYTES:
            raise ToolFailed(f"it answered more than {MOST_BYTES} bytes")
    return data


def _text(data: bytes) -> str:
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        raise ToolFailed("it answered with what is no text") from None
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + _CUT


def _blotted(text: str, secrets: tuple[str, ...]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _LEAST_SECRET:
            text = text.replace(secret, _BLOT)
    return text
