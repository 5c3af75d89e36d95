"""Which agent answers in this run, read before anything starts: a mistake in its file is told at once."""

from __future__ import annotations

from pathlib import Path

from parley_brains.agent_file import AgentFile, BrainName
from parley_brains.agents import EXAMPLE, read_agent_file
from parley_brains.choosing import chosen
from parley_common.settings import Environment, read_optional


def describe_agent(environment: Environment) -> str:
    """The agent in a few words; raises ``SettingsError``."""
    named = read_optional(environment, "PARLEY_AGENT_FILE")
    file = read_agent_file(Path(named) if named else EXAMPLE, environment)
    return f"{_brain(file, environment)}, {named or 'the example shop'}"


def _brain(file: AgentFile, environment: Environment) -> str:
    match chosen(file, environment):
        case BrainName.LLM:
            server = read_optional(environment, "PARLEY_LLM_BASE_URL") or file.llm.base_url
            model = read_optional(environment, "PARLEY_MODEL") or file.llm.model or "the first model"
            return f"{model} at {server}" if server else model
        case BrainName.WEBHOOK:
            return "a bot by webhook"
        case BrainName.SCRIPTED:
            return "a script"
