"""From a tool as it is declared and the arguments of one call to the request that is made. Pure.

No argument changes where a request goes: values are percent-encoded into path and query or go into a JSON body,
and what could lead to another path (a slash, ``..``, nothing at all) is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from parley_brains.tools.filling import VARIABLE, in_url, refuse_header, refuse_value, value_of
from parley_brains.tools.settings import Parameter, ParameterType, Tool
from parley_common.settings import Environment, SettingsError

Value = str | int | float | bool

MOST_CHARACTERS = 1_000
"""Of one argument."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_HOLE = re.compile(rf"{VARIABLE.pattern}|\{{(\w+)\}}")
_OURS = re.compile(
    r"content-.*|host|idempotency-key|traceparent|tracestate|transfer-encoding|connection|accept-encoding|te|upgrade",
    re.IGNORECASE,
)
_AUTHORITY = re.compile(r"https?://[^/?#\s]+/", re.I)
_BOOLEANS = {"true": True, "false": False}


class ToolFailed(Exception):  # noqa: N818 - what a tool tells, not a fault of ours
    """A tool has no answer. The reason may be told to a model and to an operator: it quotes no argument."""


@dataclass(frozen=True, kw_only=True)
class Hole:
    """Where an argument goes in a URL."""

    parameter: str


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A tool with the environment's values filled in. ``secrets``: what an answer must not show."""

    name: str
    tool: Tool
    url: tuple[str | Hole, ...]
    headers: Mapping[str, str]
    secrets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent. ``body``: as JSON; None for none."""

    url: str
    body: Mapping[str, Value] | None


def declare(name: str, tool: Tool, environment: Environment) -> Declared:
    """A tool that can be called; raises ``SettingsError``."""
    if not _NAME.fullmatch(name):
        raise SettingsError(f"tools.{name}: no model takes this name; use letters, digits, - and _ only")
    filled = _Filling(name, environment)
    declared = Declared(
        name=name,
        tool=tool,
        url=tuple(filled.url(tool.url)),
        headers={header: filled.header(header, value) for header, value in tool.headers.items()},
        secrets=tuple(filled.secrets),
    )
    _refuse_misplaced(declared)
    return declared


def build_request(declared: Declared, arguments: Mapping[str, object]) -> Request:
    """The request of one call; raises ``ToolFailed`` for arguments that do not fit."""
    values = _fitting(declared.tool.declared, arguments)
    in_url = {piece.parameter for piece in declared.url if isinstance(piece, Hole)}
    url = _rendered(declared.url, values)
    if urlsplit(url).netloc != urlsplit(_rendered(declared.url, dict.fromkeys(in_url, "x"))).netloc:
        raise ToolFailed("an argument would change the host")
    rest = {name: value for name, value in values.items() if name not in in_url}
    if declared.tool.method.has_body:
        return Request(url=url, body=rest)
    query = urlencode({name: _text(value) for name, value in rest.items()}, quote_via=quote, safe="")
    return Request(url=f"{url}{'&' if '?' in url else '?'}{query}" if query else url, body=None)


class _Filling:
    """Fills in what the environment knows."""

    def __init__(self, name: str, environment: Environment) -> None:
        self._name = name
        self._environment = environment
        self.secrets: list[str] = []

    def url(self, template: str) -> Iterator[str | Hole]:
        """What a URL begins with is where it leads, and no secret."""
        before, end = "", 0
        for hole in _HOLE.finditer(template):
            yield template[end : hole.start()]
            before += template[end : hole.start()]
            if hole[3]:
                yield Hole(parameter=hole[3])
                before += "x"
            else:
                value = value_of(hole, self._environment, f"tools.{self._name}.url")
                yield in_url(value, before)
                self.secrets += [value, in_url(value, before)] if before else []
                before += value
            end = hole.end()
        yield template[end:]

    def header(self, header: str, template: str) -> str:
        where = f"tools.{self._name}.headers"
        refuse_header(header, _OURS, where)
        value = VARIABLE.sub(lambda hole: self._secret(hole, f"{where}.{header}"), template)
        refuse_value(header, value, where)
        return value

    def _secret(self, hole: re.Match[str], where: str) -> str:
        value = value_of(hole, self._environment, where)
        self.secrets.append(value)
        return value


def _refuse_misplaced(declared: Declared) -> None:
    """Only path and query depend on what a model says, and only on parameters that are always there."""
    before = ""
    for piece in declared.url:
        if isinstance(piece, str):
            before += piece
            continue
        where, parameter = f"tools.{declared.name}.url", declared.tool.declared.get(piece.parameter)
        if parameter is None:
            raise SettingsError(f"{where}: no parameter is called {{{piece.parameter}}}; declare it")
        if not parameter.required:
            raise SettingsError(f"{where}: {{{piece.parameter}}} is in the URL, so it must be required")
        if not _AUTHORITY.match(before) or "#" in before:
            raise SettingsError(f"{where}: {{{piece.parameter}}} may stand in the path or the query only")
        before += "x"
    if not _AUTHORITY.match(f"{before}/"):
        raise SettingsError(f"tools.{declared.name}.url is no URL that can be called: write http:// or https://")


def _rendered(url: tuple[str | Hole, ...], values: Mapping[str, Value]) -> str:
    text = ""
    for piece in url:
        text += piece if isinstance(piece, str) else _encoded(piece.parameter, values, in_query="?" in text)
    if any(segment in (".", "..") for segment in urlsplit(text).path.split("/")):
        raise ToolFailed("an argument would lead to another path")
    return text


def _encoded(name: str, values: Mapping[str, Value], *, in_query: bool) -> str:
    text = _text(values[name])
    if not in_query and (not text.strip() or "/" in text or "\\" in text):
        raise ToolFailed(f"{name} must be a plain value that is not empty and has no slash")
    return quote(text, safe="")


def _fitting(parameters: Mapping[str, Parameter], arguments: Mapping[str, object]) -> dict[str, Value]:
    if arguments.keys() - parameters.keys():
        raise ToolFailed(f"it takes {', '.join(parameters) or 'no parameters'} and nothing else")
    values: dict[str, Value] = {}
    for name, parameter in parameters.items():
        value = arguments.get(name)
        if value is not None:
            values[name] = _fit(name, parameter, value)
        elif parameter.required:
            raise ToolFailed(f"{name} is missing")
    return values


def _fit(name: str, parameter: Parameter, value: object) -> Value:
    """The value as it is declared; a number in a text is one."""
    if not isinstance(value, str | int | float) or len(str(value)) > MOST_CHARACTERS:
        raise ToolFailed(f"{name} must be one {parameter.type} of at most {MOST_CHARACTERS} characters")
    text = _text(value).strip()
    if parameter.enum and text not in parameter.enum:
        raise ToolFailed(f"{name} must be one of {', '.join(parameter.enum)}")
    try:
        text.encode()
        match parameter.type:
            case ParameterType.STRING:
                return text
            case ParameterType.INTEGER:
                return int(text)
            case ParameterType.NUMBER:
                return _finite(float(text))
            case ParameterType.BOOLEAN:
                return _BOOLEANS[text.lower()]
    except (ValueError, KeyError):
        raise ToolFailed(f"{name} must be of type {parameter.type}") from None


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError
    return value


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
