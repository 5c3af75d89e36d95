"""Tools as an agent file declares them: URLs that can be called, parameters that fit, secrets that are set."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from parley_brains.agent_file import AgentFile
from parley_brains.checking.findings import Finding, nearest, shown
from parley_brains.checking.lines import Key
from parley_brains.tools.filling import VARIABLE, variables
from parley_brains.tools.requests import declare
from parley_brains.tools.settings import Tool
from parley_brains.webhook.settings import Webhook
from parley_common.settings import Environment, SettingsError, read_optional

_PLACEHOLDER = re.compile(r"(?<!\$)\{(\w*)\}")


def tool_findings(file: AgentFile, environment: Environment) -> Iterator[Finding]:
    """What is wrong with the tools, and with the address of a bot or model."""
    for name, tool in file.tools.items():
        path = ("tools", name)
        found = [
            *url_findings((*path, "url"), tool.url),
            *_parameter_findings(path, tool.url, tool.parameters),
        ]
        yield from found or _undeclarable(path, tool, environment)
        yield from _unset(path, tool, environment)
    if file.webhook is not None:
        yield from url_findings(("webhook", "url"), file.webhook.url) if file.webhook.url else ()
        yield from _unset(("webhook",), file.webhook, environment)
    if file.llm.base_url:
        yield from url_findings(("llm", "base_url"), file.llm.base_url)


def url_findings(path: Key, url: str) -> Iterator[Finding]:
    """Whether a URL is one that can be called. A ``${NAME}`` in front of all else tells too little to say."""
    if url.startswith("${"):
        return
    try:
        parts = urlsplit(VARIABLE.sub("x", url))
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        what = f"{shown(path)}: {url!r} is no URL that can be called"
        yield Finding(path, what, "write http:// or https://, and a host")


def _undeclarable(path: tuple[str, str], tool: Tool, environment: Environment) -> Iterator[Finding]:
    """What the tools themselves refuse, also where the environment lacks what they need."""
    try:
        declare(path[1], tool, supplied(tool, environment))
    except SettingsError as error:
        what, _, fix = str(error).partition("; ")
        yield Finding(path, what, fix or "mend it")


def _parameter_findings(path: Key, url: str, parameters: Collection[str]) -> Iterator[Finding]:
    """What stands in braces must be a parameter. One that does not goes into the query or the body."""
    for name in dict.fromkeys(_PLACEHOLDER.findall(url)):
        if name not in parameters:
            close = nearest(name, parameters)
            fix = f"did you mean {{{close}}}?" if close else f"add it to {shown((*path, 'parameters'))}"
            yield Finding((*path, "url"), f"{shown((*path, 'url'))}: no parameter is called {{{name}}}", fix)


def supplied(table: Tool | Webhook, environment: Environment) -> Environment:
    """The environment with a value for every ``${NAME}`` of a table: those that it lacks, others may have."""
    names = {name for _key, text in _fillable(table, ()) for name in variables(text)}
    return {**environment, **{name: "https://x" for name in names if read_optional(environment, name) is None}}


def _unset(path: Key, table: Tool | Webhook, environment: Environment) -> Iterator[Finding]:
    """Which ``${NAME}`` of a table the environment does not set."""
    for key, text in _fillable(table, path):
        for name in dict.fromkeys(variables(text)):
            if read_optional(environment, name) is None:
                what = f"{shown(key)}: {name} is not set in this environment"
                yield Finding(key, what, "set it where the agent runs", suspicious=True)


def _fillable(table: Tool | Webhook, path: Key) -> Iterator[tuple[Key, str]]:
    """What the environment fills."""
    yield (*path, "url"), table.url
    for name, value in table.headers.items():
        yield (*path, "headers", name), value
