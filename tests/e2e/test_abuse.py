"""What abuse costs: caps of a day, loops of two bots and countries, through the whole path (P14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from e2e.conftest import QUICK
from harness.people import Person, StatusApi, simulator_of, status_of
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_agent.allowance import LOOP_CAPACITY

pytestmark = pytest.mark.anyio

MOST = int(LOOP_CAPACITY)
CAPPED = "That is as much as we can answer today. Please text again tomorrow."


@pytest.fixture
async def guarded(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stack]:
    """A Parley that answers everybody in the US, as often as they like."""
    settings = QUICK | {"SMS_ALLOWED_COUNTRIES": "US", "PARLEY_DAILY_ANSWERS_PER_CONTACT": "0"}
    async with running_stack(tmp_path, settings=settings) as stack:
        yield stack


@pytest.fixture
async def thrifty(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stack]:
    """A Parley that answers everybody twice a day."""
    async with running_stack(tmp_path, settings=QUICK | {"PARLEY_DAILY_ANSWERS_PER_CONTACT": "2"}) as stack:
        yield stack


async def outcomes(status: StatusApi, person: Person, count: int) -> list[str]:
    """What became of a person's texts, oldest first, once so many are dealt with."""

    async def all_dealt_with() -> list[str] | None:
        conversation = await status.conversation(person.number)
        messages = conversation["messages"] if conversation else []
        found = [one["outcome"] for one in messages if one["direction"] == "inbound" and one["outcome"]]
        return found if len(found) >= count else None

    found = await wait_until(all_dealt_with, 20.0, what=f"{count} texts dealt with")
    assert found is not None
    return found


@pytest.mark.long
async def test_who_has_had_the_days_answers_is_told_once_and_others_are_answered(thrifty: Stack) -> None:
    async with simulator_of(thrifty) as simulator, status_of(thrifty) as status:
        chatty, other = Person("+15550190101", simulator), Person("+15550190102", simulator)
        for n in range(5):
            await chatty.text(f"ECHO {n}")
            await outcomes(status, chatty, n + 1)
        await other.text("ECHO and me?")
        assert [text.body for text in await other.wait_for(1)] == ["and me?"]
        assert await outcomes(status, chatty, 5) == ["answered"] * 2 + ["capped"] * 3
        assert [text.body for text in await chatty.wait_for(3)] == ["0", "1", CAPPED]
        assert 'parley_turns_total{outcome="capped"} 3.0' in await metrics(thrifty)


async def test_a_bot_that_answers_every_answer_is_left_alone(guarded: Stack) -> None:
    async with simulator_of(guarded) as simulator, status_of(guarded) as status:
        bot, person = Person("+15550190103", simulator), Person("+15550190104", simulator)
        sent, found = 0, [""]
        for sent in range(1, MOST * 2):
            await bot.text(f"ECHO {sent}")
            found = await outcomes(status, bot, sent)
            if found[-1] == "loop":
                break
        assert found == ["answered"] * (sent - 1) + ["loop"]
        assert sent > MOST
        assert len(await bot.wait_for(sent - 1)) == sent - 1
        await person.text("ECHO a person")
        assert [text.body for text in await person.wait_for(1)] == ["a person"]
        assert "too many answers in a row" in guarded["agent"].output


@pytest.mark.long
async def test_a_country_that_is_not_served_is_met_with_silence(guarded: Stack) -> None:
    async with simulator_of(guarded) as simulator, status_of(guarded) as status:
        abroad, here = Person("+447700900123", simulator), Person("+15550190105", simulator)
        await abroad.text("ECHO hello")
        await here.text("ECHO hello")
        assert [text.body for text in await here.wait_for(1)] == ["hello"]
        assert await outcomes(status, abroad, 1) == ["not_allowed"]
        assert await abroad.received() == []


async def metrics(stack: Stack) -> str:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"{stack.url('agent')}/metrics")).text
