"""Which brain an agent file asks for. Pure."""

from __future__ import annotations

from parley_brains.agent_file import AgentFile, BrainName
from parley_common.settings import Environment, read_optional

WEBHOOK_VARIABLE = "PARLEY_WEBHOOK_URL"
MODEL_VARIABLES = ("PARLEY_MODEL", "PARLEY_LLM_BASE_URL")


def chosen(file: AgentFile, environment: Environment) -> BrainName:
    """The brain that the file names; without one, the model where one is set, else the script."""
    if file.brain is not None:
        return file.brain
    return BrainName.LLM if names_model(file, environment) else BrainName.SCRIPTED


def names_model(file: AgentFile, environment: Environment) -> bool:
    """Whether the file or the environment says which model to ask."""
    told = [read_optional(environment, name) for name in MODEL_VARIABLES]
    return any((file.llm.model, file.llm.base_url, *told))


def names_bot(file: AgentFile, environment: Environment) -> bool:
    """Whether the file or the environment says where the operator's bot is."""
    told = file.webhook is not None and file.webhook.url
    return bool(told or read_optional(environment, WEBHOOK_VARIABLE))
