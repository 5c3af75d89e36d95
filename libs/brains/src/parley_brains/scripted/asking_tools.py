"""How a script asks a tool for the result of a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from parley_brains.agent_file import AgentFile
from parley_brains.tools.calling import Tools
from parley_common.settings import Environment


class Calls(Protocol):
    """What calls tools by their name; raises ``ToolFailed``. ``key``: the same however often a turn is tried."""

    async def call(self, name: str, arguments: Mapping[str, object], *, key: str) -> str:
        """The answer's text."""

    async def close(self) -> None:
        """Ends its connections."""


def tools_of(file: AgentFile, environment: Environment) -> Calls | None:
    """The tools that commands name, None where they name none. Raises ``SettingsError`` for one that is not there.

    A tool that only a model may call can lack its credentials without keeping a script from starting.
    """
    used = {command.tool for command in file.commands.values() if command.tool}
    return Tools({name: file.tools[name] for name in sorted(used)}, environment) if used else None
