"""``parley agent check``: what is wrong with an agent file, or that nothing is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from parley_brains.agent_file import AgentFile
from parley_brains.agents import EXAMPLE, make_brain
from parley_brains.checking.file import check
from parley_brains.choosing import chosen
from parley_brains.knowledge.reading import read_folder
from parley_brains.tools.filling import NotSet
from parley_cli.words import counted, printable
from parley_common.settings import Environment, SettingsError, read_optional

Say = Callable[[str], None]


def agent_path(given: Path | None, environment: Environment = os.environ) -> Path:
    """The file that was named, else the one that the service would read."""
    return given or Path(read_optional(environment, "PARLEY_AGENT_FILE") or EXAMPLE)


async def report(path: Path, say: Say, environment: Environment = os.environ) -> int:
    """Says all that is wrong with a file, a line each; returns 1 where the service would refuse it, else 0."""
    checked = check(path, environment)
    for remark in checked.remarks:
        say(printable(f"{path}:{remark.line}: {remark}"))
    warnings = len(checked.remarks) - len(checked.errors)
    if checked.file is None or checked.errors:
        also = f" and {counted(warnings, 'warning')}" if warnings else ""
        say(f"{path}: {counted(len(checked.errors), 'mistake')}{also}.")
        return 1
    trouble = await _trouble(checked.file, path.parent, environment)
    if isinstance(trouble, NotSet):
        say(printable(f"{path}:1: warning: the brain cannot start in this environment: {trouble}"))
        warnings += 1
    elif trouble is not None:
        say(printable(f"{path}:1: the brain cannot start: {trouble}"))
        say(f"{path}: 1 mistake.")
        return 1
    verdict = f"can be used, with {counted(warnings, 'warning')}" if warnings else "is fine"
    say(f"{path} {verdict}: {described(checked.file, path.parent, environment)}.")
    return 0


def described(file: AgentFile, folder: Path, environment: Environment) -> str:
    """What there is in an agent file, in one line."""
    passages = len(read_folder(folder / file.knowledge)) if file.knowledge else 0
    found = (
        counted(len(file.commands), "command"),
        counted(len(file.menus), "menu"),
        f"{counted(passages, 'passage')} of knowledge",
        counted(len(file.tools), "tool"),
    )
    return ", ".join((f"brain {chosen(file, environment)}", *found))


async def _trouble(file: AgentFile, folder: Path, environment: Environment) -> SettingsError | None:
    """Why the brain would not start here; ``NotSet`` for keys, which need not be there where a file is checked."""
    try:
        brain = make_brain(file, folder, environment)
    except SettingsError as error:
        return error
    await brain.close()
    return None
