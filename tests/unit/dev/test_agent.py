"""What a run says of its agent, and that it does not start with a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from parley_common.settings import SettingsError
from parley_dev.agent import describe_agent


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        pytest.param({}, "a script, the example shop", id="as it comes"),
        pytest.param(
            {"PARLEY_MODEL": "openai:gpt-5.4-mini"}, "openai:gpt-5.4-mini, the example shop", id="a model is named"
        ),
        pytest.param(
            {"PARLEY_LLM_BASE_URL": "http://127.0.0.1:8000/v1"},
            "the first model at http://127.0.0.1:8000/v1, the example shop",
            id="only a server is named",
        ),
    ],
)
def test_the_agent_is_told_by_its_brain_and_its_file(environment: dict[str, str], words: str) -> None:
    assert describe_agent(environment) == words


def test_a_mistake_in_the_agents_file_is_told_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('greting = "hello"')
    with pytest.raises(SettingsError, match=r"agent\.toml:1: .*greeting"):
        describe_agent({"PARLEY_AGENT_FILE": str(file)})
