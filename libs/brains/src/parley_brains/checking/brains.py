"""Whether the brain of an agent file has what it needs, and whether numbers are such that it can answer at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from parley_brains.agent_file import AgentFile, BrainName
from parley_brains.checking.findings import Finding, shown
from parley_brains.checking.lines import Key
from parley_brains.checking.tools import supplied, url_findings
from parley_brains.choosing import chosen, names_bot, names_model
from parley_brains.knowledge.reading import read_folder
from parley_brains.llm.endpoints import read_endpoints
from parley_brains.llm.settings import OWN_TOOLS
from parley_brains.tools.filling import NotSet
from parley_brains.webhook.bot import read_bot
from parley_brains.webhook.settings import Webhook
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
    if brain is BrainName.WEBHOOK:
        yield from _bot_findings(file, environment)
    yield from _knowledge_findings(file, folder)


def _model_findings(file: AgentFile, environment: Environment) -> Iterator[Finding]:
    if not names_model(file, environment):
        fix = "write model in [llm], or set PARLEY_MODEL or PARLEY_LLM_BASE_URL"
        yield Finding(("brain",), 'brain is "llm" and nothing says which model', fix)
    else:
        yield from _unusable(file, environment)
    for name in sorted(file.tools.keys() & set(OWN_TOOLS)):
        yield Finding(("tools", name), f"tools.{name}: Parley has a tool of that name", "choose another")
    if not file.llm.prompt.strip():
        fix = "tell it in [llm] prompt who it answers for"
        yield Finding(("llm",), "the model gets no prompt of yours", fix, suspicious=True)
    if file.llm.request_timeout_s > file.reply.within_s:
        what = f"llm.request_timeout_s is longer than the {file.reply.within_s:g} s of reply.within_s"
        fix = "make it shorter, so that there is time for a second try"
        yield Finding(("llm", "request_timeout_s"), what, fix, suspicious=True)


def _unusable(file: AgentFile, environment: Environment) -> Iterator[Finding]:
    """What keeps a model from being asked. What the environment lacks, that of the service may have."""
    try:
        read_endpoints(file.llm, environment)
    except NotSet as error:
        yield _refused(("llm",), error, suspicious=True)
    except SettingsError as error:
        if not list(url_findings(("llm", "base_url"), file.llm.base_url or "http://x")):  # told beside its key
            yield _refused(("llm",), error)


def _bot_findings(file: AgentFile, environment: Environment) -> Iterator[Finding]:
    """What keeps a bot from being asked, whatever the environment lacks."""
    webhook = file.webhook or Webhook()
    if not names_bot(file, environment) or list(url_findings(("webhook", "url"), webhook.url or "http://x")):
        return  # told already
    try:
        read_bot(webhook, supplied(webhook, environment))
    except NotSet:
        return
    except SettingsError as error:
        yield _refused(("webhook",), error)


def _refused(key: Key, error: SettingsError, *, suspicious: bool = False) -> Finding:
    """What is refused at the start, whose sentence ends in what to do."""
    separator = "; " if "; " in str(error) else ": "
    what, _, fix = str(error).rpartition(separator)
    return Finding(key, what or fix, fix if what else "mend it", suspicious=suspicious)


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
