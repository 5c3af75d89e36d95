"""An agent that was away: nobody is sent last night's answers, everybody is excused once (P13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from e2e.conftest import QUICK
from harness.people import Person, StatusApi, simulator_of, status_of
from harness.stack import running_stack
from harness.waiting import wait_until

pytestmark = [pytest.mark.anyio, pytest.mark.long]

MAX_AGE_S = 10.0
PEOPLE = 5
APOLOGY = "Sorry, that was too long ago."


@pytest.fixture
def agent_file(tmp_path: Path) -> Path:
    script = Path(QUICK["PARLEY_AGENT_FILE"]).read_text()
    path = tmp_path / "agent.toml"
    path.write_text(script.replace('failure = "Sorry."', f'failure = "Failed."\napology = "{APOLOGY}"'))
    return path


async def test_after_an_outage_everybody_gets_one_apology_and_fresh_texts_are_answered(
    tmp_path: Path, agent_file: Path
) -> None:
    settings = QUICK | {"PARLEY_AGENT_FILE": str(agent_file), "PARLEY_MAX_ANSWER_AGE_S": str(MAX_AGE_S)}
    async with (
        running_stack(tmp_path / "stack", settings=settings) as stack,
        simulator_of(stack) as simulator,
        status_of(stack) as status,
    ):
        people = [Person(f"+1555019{n:04d}", simulator) for n in range(PEOPLE)]
        await stack["agent"].stop()
        for person in people:
            for n in range(3):
                await person.text(f"ECHO at night {n}")
        old_at = datetime.now(UTC) + timedelta(seconds=MAX_AGE_S)
        await wait_until(lambda: datetime.now(UTC) > old_at, MAX_AGE_S + 5.0, what="all texts being old")
        await stack["agent"].start()
        for person in people:
            assert [text.body for text in await person.wait_for(1)] == [APOLOGY]
            await wait_until(outcomes_are(status, person, ["late"] * 3), what="its texts in the inbox as late")
        for person in people:
            await person.text("ECHO in the morning")
            assert [text.body for text in await person.wait_for(2)] == [APOLOGY, "in the morning"]
        for person in people:
            assert len(await person.received()) == 2


def outcomes_are(status: StatusApi, person: Person, outcomes: list[str]) -> Callable[[], object]:
    """Whether the status API tells these outcomes of a person's texts, oldest first."""

    async def same() -> bool:
        conversation = await status.conversation(person.number)
        messages = conversation["messages"] if conversation else []
        return [one["outcome"] for one in messages if one["direction"] == "inbound"] == outcomes

    return same
