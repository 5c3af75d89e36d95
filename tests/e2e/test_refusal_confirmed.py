"""No more texts, in a person's own words: one confirmation, then silence until they come back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.people import Person, StatusApi
from harness.waiting import wait_until

pytestmark = pytest.mark.anyio

Somebody = Callable[[], Person]

REFUSAL = "please stop texting me"


async def outcomes(status: StatusApi, person: Person) -> list[str]:
    """What became of each of the person's texts."""
    conversation = await status.conversation(person.number)
    messages = conversation["messages"] if conversation else []
    return [message["outcome"] for message in messages if message["direction"] == "inbound"]


async def test_a_refusal_is_confirmed_once_and_then_nothing_is_sent(somebody: Somebody, status: StatusApi) -> None:
    person = somebody()
    await person.text("ECHO hello")
    await person.wait_for(1)
    await person.text(REFUSAL)
    _, confirmation = await person.wait_for(2)
    assert "START" in confirmation.body
    await person.text(REFUSAL)
    await person.text("ECHO are you still there?")
    await wait_until(lambda: _count(status, person, 4), 20.0, what="all four texts dealt with")
    await person.text("START")
    await person.text("ECHO back again")
    texts = await person.wait_for(3)
    assert [text.body for text in texts[2:]] == ["back again"]
    assert (await outcomes(status, person))[1:3] == ["refused", "refused"]


async def _count(status: StatusApi, person: Person, count: int) -> bool:
    found = await outcomes(status, person)
    return len(found) == count and all(found)
