"""An agent from its file: what it is like, and the brain that answers for it."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from parley_brains.agent_file import AgentFile, BrainName
from parley_brains.brain import Brain
from parley_brains.scripted.brain import ScriptedBrain, called
from parley_common.domain.keywords import classify_keyword
from parley_common.settings import Environment, SettingsError, read_optional

EXAMPLE = Path(__file__).with_name("example") / "agent.toml"


@dataclass(frozen=True, kw_only=True)
class Agent:
    """One agent: its file, and its brain."""

    file: AgentFile
    brain: Brain


def read_agent(path: Path, environment: Environment = os.environ) -> Agent:
    """The agent of a file; raises ``SettingsError`` naming the file and what to mend."""
    file = read_agent_file(path)
    return Agent(file=file, brain=_brain(file, path.parent, environment))


def _brain(file: AgentFile, folder: Path, environment: Environment) -> Brain:
    match file.brain or _unnamed(file, environment):
        case BrainName.SCRIPTED:
            return ScriptedBrain(file, folder)
        case other:
            raise SettingsError(f"the brain {other} is not there yet")


def _unnamed(file: AgentFile, environment: Environment) -> BrainName:
    """The brain of a file that names none."""
    told = [read_optional(environment, name) for name in ("PARLEY_MODEL", "PARLEY_LLM_BASE_URL")]
    return BrainName.LLM if any(told) or file.llm.model or file.llm.base_url else BrainName.SCRIPTED


def read_agent_file(path: Path) -> AgentFile:
    """Reads an agent file; raises ``SettingsError``."""
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), AgentFile)
    except OSError as error:
        raise SettingsError(f"agent file {path} cannot be read: {error.strerror}; set PARLEY_AGENT_FILE") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"agent file {path}: {error}") from None
    for word in file.commands:
        if classify_keyword(word) is not None:
            raise SettingsError(f"agent file {path}: command {word} is a word carriers act on; choose another")
        if word.split() != [word] or called(word) != word.upper():
            raise SettingsError(
                f"agent file {path}: command {word!r} can't be called: write one word without marks"
            )
    if len({word.upper() for word in file.commands}) < len(file.commands):
        raise SettingsError(f"agent file {path}: a command stands there twice, in capitals and not; keep one")
    return file
