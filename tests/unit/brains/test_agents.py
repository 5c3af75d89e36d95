"""Which brain an agent file gets, and what is imported for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from parley_brains.agent_file import BrainName
from parley_brains.agents import EXAMPLE, read_agent, read_agent_file
from parley_brains.choosing import chosen
from parley_common.settings import SettingsError
from unit.brains.agent_files import FALLBACK, written

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("toml", "environment", "brain"),
    [
        ("", {}, BrainName.SCRIPTED),
        ("", {"PARLEY_MODEL": "openai:m"}, BrainName.LLM),
        ("", {"PARLEY_LLM_BASE_URL": "http://127.0.0.1:1/v1"}, BrainName.LLM),
        ("", {"PARLEY_MODEL": "  "}, BrainName.SCRIPTED),
        ("llm.model = 'openai:m'", {}, BrainName.LLM),
        ("llm.base_url = 'http://127.0.0.1:1/v1'", {}, BrainName.LLM),
        ("brain = 'scripted'", {"PARLEY_MODEL": "openai:m"}, BrainName.SCRIPTED),
        ("brain = 'webhook'\nwebhook.url = 'https://x/y'", {"PARLEY_MODEL": "openai:m"}, BrainName.WEBHOOK),
    ],
)
def test_the_file_chooses_its_brain_and_the_environment_where_it_does_not(
    tmp_path: Path, toml: str, environment: dict[str, str], brain: BrainName
) -> None:
    file = read_agent_file(written(tmp_path, f"{FALLBACK}{toml}\n"), environment)
    assert chosen(file, environment) is brain


@pytest.mark.parametrize(
    ("toml", "environment", "kind"),
    [
        ("", {}, "ScriptedBrain"),
        ("", {"PARLEY_LLM_BASE_URL": "http://127.0.0.1:1/v1"}, "ModelBrain"),
        (
            "brain = 'webhook'\nwebhook.url = 'http://127.0.0.1:1/x'",
            {"PARLEY_WEBHOOK_SECRET": "s" * 32},
            "WebhookBrain",
        ),
    ],
)
async def test_each_brain_can_be_made(tmp_path: Path, toml: str, environment: dict[str, str], kind: str) -> None:
    agent = read_agent(written(tmp_path, f"{FALLBACK}{toml}\n"), environment)
    assert type(agent.brain).__name__ == kind
    await agent.brain.close()


def test_an_agent_with_a_mistake_does_not_start(tmp_path: Path) -> None:
    path = written(tmp_path, "\n[commands.STOP]\nreply = 'r'\n")
    with pytest.raises(SettingsError) as refused:
        read_agent(path, {})
    assert str(refused.value).startswith(f"agent file {path}:2: commands.STOP: 'STOP' is a word carriers act on")


def imported(path: Path, environment: dict[str, str]) -> set[str]:
    """What a process has imported that has read an agent."""
    code = (
        "import sys; from pathlib import Path; from parley_brains.agents import read_agent; "
        f"read_agent(Path({str(path)!r})); print(*sys.modules)"
    )
    names = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=names | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())


def test_a_script_costs_nothing_of_what_a_model_needs() -> None:
    """pydantic-ai takes 70 MB and most of a second."""
    heavy = {"pydantic_ai", "pydantic", "openai", "anthropic", "parley_brains.webhook.brain"}
    assert not imported(EXAMPLE, {}) & heavy


def test_a_model_needs_it(tmp_path: Path) -> None:
    path = written(tmp_path, FALLBACK)
    assert "pydantic_ai" in imported(path, {"PARLEY_LLM_BASE_URL": "http://127.0.0.1:1/v1"})
