"""Whether the brain of an agent file has what it needs, and whether numbers are such that it can answer at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from parley_brains.agent_file import AgentFile, BrainName
from parley_brains.checking.findings import Finding, shown
from parley_brains.choosing import chosen, names_bot, names_model
from parley_brains.knowledge.reading import read_folder
from parley_brains.llm.endpoints import NotSet, read_endpoints
from parley_common.settings import Environment, SettingsError


def brain_findings(file: AgentFile, folder: Path, environment: Environment) -> Iterator[Finding]:
    """What is wrong with the choice of the brain and what it reads."""
    brain = chosen(file, environment)
    if file.webhook is not None and brain is not BrainName.WEBHOOK:
        what = f"there is a table [webhook], but the brain is {brain}"
        if file.brain is None:
            yield Finding(("webhook",), what, 'write brain = "webhook" at the top')
        else:
            yield Finding(("webhook",), what, 'take it out, or write brain = "webhook"', suspicious=True)
    if brain is BrainName.WEBHOOK and not names_bot(file, environment):
        fix = "write url in [webhook], or set PARLEY_WEBHOOK_URL"
        yield Finding(("webhook",), 'brain is "webhook" and nothing says where it is', fix)
    if brain is BrainName.LLM:
        yield from _model_findings(file, environment)
    elif file.brain is not None and (file.llm.model or file.llm.base_url):
        yield Finding(("llm",), f"[llm] is not used: the brain is {brain}", 'write brain = "llm"', suspicious=True)
    if brain is BrainName.SCRIPTED and not (file.commands or file.menus or file.knowledge or file.fallback):
        yield Finding((), "the script has nothing to say", "add commands, menus, knowledge or a fallback")
    yield from _knowledge_findings(file, folder)


def _model_findings(file: AgentFile, environment: Environment) -> Iterator[Finding]:
    if not names_model(file, environment):
        fix = "write model in [llm], or set PARLEY_MODEL or PARLEY_LLM_BASE_URL"
        yield Finding(("brain",), 'brain is "llm" and nothing says which model', fix)
    else:
        yield from _unset(file, environment)
    if not file.llm.prompt.strip():
        fix = "tell it in [llm] prompt who it answers for"
        yield Finding(("llm",), "the model gets no prompt of yours", fix, suspicious=True)
    if file.llm.request_timeout_s > file.reply.within_s:
        what = f"llm.request_timeout_s is longer than the {file.reply.within_s:g} s of reply.within_s"
        fix = "make it shorter, so that there is time for a second try"
        yield Finding(("llm", "request_timeout_s"), what, fix, suspicious=True)


def _unset(file: AgentFile, environment: Environment) -> Iterator[Finding]:
    """What the environment lacks, which may be another one than that of the service."""
    try:
        read_endpoints(file.llm, environment)
    except NotSet as error:
        what, _, fix = str(error).partition(": ")
        yield Finding(("llm",), what, fix, suspicious=True)
    except SettingsError:
        return  # a value that is wrong is told beside its key


def _knowledge_findings(file: AgentFile, folder: Path) -> Iterator[Finding]:
    """What keeps the knowledge from being read."""
    if not file.knowledge:
        return
    try:
        read_folder(folder / file.knowledge)
    except SettingsError as error:
        what, _, fix = str(error).partition("; ")
        yield Finding(("knowledge",), what, fix)


def limit_findings(file: AgentFile) -> Iterator[Finding]:
    """Which numbers of a model let nothing be answered."""
    least = {
        ("llm", "history_tokens"): (file.llm.history_tokens, 0),
        ("llm", "answer_tokens"): (file.llm.answer_tokens, 16),
        ("llm", "request_timeout_s"): (file.llm.request_timeout_s, 1),
        ("llm", "most_at_once"): (file.llm.most_at_once, 1),
    }
    for path, (value, bound) in least.items():
        if value < bound:
            yield Finding(path, f"{shown(path)} is {value:g}", f"write a number of at least {bound:g}")
