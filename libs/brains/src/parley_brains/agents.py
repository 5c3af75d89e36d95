"""An agent from its file: what it is like, and the brain that answers for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from parley_brains.agent_file import AgentFile, BrainName
from parley_brains.brain import Brain
from parley_brains.checking.file import check
from parley_brains.choosing import chosen
from parley_common.settings import Environment

EXAMPLE = Path(__file__).with_name("example") / "agent.toml"


@dataclass(frozen=True, kw_only=True)
class Agent:
    """One agent: its file, and its brain. ``brain_name``: which of them it is, for those who count."""

    file: AgentFile
    brain: Brain
    brain_name: str = "other"


def read_agent(path: Path, environment: Environment = os.environ) -> Agent:
    """The agent of a file; raises ``SettingsError`` naming the file, the line and what to mend."""
    file = read_agent_file(path, environment)
    name = chosen(file, environment).value
    return Agent(file=file, brain=make_brain(file, path.parent, environment), brain_name=name)


def read_agent_file(path: Path, environment: Environment = os.environ) -> AgentFile:
    """Reads an agent file; raises ``SettingsError``."""
    return check(path, environment).accepted()


def make_brain(file: AgentFile, folder: Path, environment: Environment) -> Brain:
    """The brain that a file asks for. Only that one is imported: a model's client takes 70 MB and a second.

    Raises ``SettingsError`` where the environment lacks what the brain needs.
    """
    match chosen(file, environment):
        case BrainName.LLM:
            from parley_brains.llm import brain as llm

            return llm.make_brain(file, folder, environment)
        case BrainName.WEBHOOK:
            from parley_brains.webhook import brain as webhook

            return webhook.make_brain(file, environment)
        case BrainName.SCRIPTED:
            from parley_brains.scripted import brain as scripted

            return scripted.ScriptedBrain(file, folder, environment)
