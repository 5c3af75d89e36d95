"""Delivery states through the whole of Parley, whatever Twilio does with its status callbacks."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest

from e2e.conftest import QUICK
from harness.people import Person, StatusApi
from harness.privacy import leaks
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_simulator.control import SimulatorControl
from parley_simulator.faults import Fault, Match, Place, Rule

pytestmark = pytest.mark.anyio

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Stack]:
    """Everything, with a status service that asks Twilio early."""
    settings = {**QUICK, "PARLEY_ASK_AFTER_S": "2"}
    async with running_stack(tmp_path_factory.mktemp("delivery"), settings=settings) as stack:
        yield stack
        assert leaks(stack, ["did it arrive"]) == []
        assert stack.tracebacks() == {}


@pytest.fixture
def person(simulator: SimulatorControl) -> Person:
    """Somebody whom no other test knows."""
    return Person(f"+1555018{next(_numbers):04d}", simulator)


async def part_in_state(status: StatusApi, person: Person, state: str) -> Any:
    """The only part of the only reply once it is in that state."""

    async def there() -> Any:
        replies = await status.outbound(person.number)
        if not replies or replies[-1]["state"] != state:
            return None
        (part,) = (await status.get(f"/v1/messages/{replies[-1]['id']}"))["parts"]
        return part

    return await wait_until(there, 30.0, what=f"a reply that is {state}")


def words(part: Any) -> list[str]:
    """The statuses of its reports, as often as they were stored."""
    return [report["status"] for report in part["reports"]]


async def ask_for_an_answer(person: Person, rule: Rule) -> None:
    await person.simulator.add_fault(rule)
    await person.text("ECHO did it arrive")


@pytest.mark.parametrize("count", [1, 5])
async def test_repeated_callbacks_are_one_report_each(status: StatusApi, person: Person, count: int) -> None:
    match = Match(to=person.number)
    await ask_for_an_answer(
        person, Rule(where=Place.CALLBACK, what=Fault.DUPLICATE_CALLBACKS, count=count, match=match)
    )
    part = await part_in_state(status, person, "delivered")
    assert sorted(words(part)) == ["delivered", "sent"]
    assert (part["conflict"], part["asked"]) == ([], 0)


async def test_callbacks_in_reverse_order_end_at_delivered(status: StatusApi, person: Person) -> None:
    rule = Rule(where=Place.CALLBACK, what=Fault.REORDER_CALLBACKS, match=Match(to=person.number))
    await ask_for_an_answer(person, rule)

    async def both() -> Any:
        part = await part_in_state(status, person, "delivered")
        return part if len(part["reports"]) == 2 else None

    part = await wait_until(both, 20.0, what="both reports")
    assert words(part) == ["delivered", "sent"]
    assert (part["status"], part["conflict"]) == ("delivered", [])


@pytest.mark.parametrize(
    ("code", "state"), [(30003, "undelivered"), (30008, "undelivered"), (30007, "undelivered")]
)
async def test_an_error_after_the_post_is_told_with_its_code(
    status: StatusApi, person: Person, code: int, state: str
) -> None:
    rule = Rule(where=Place.CREATE, what=Fault.ASYNC_ERROR, code=code, match=Match(to=person.number))
    await ask_for_an_answer(person, rule)
    part = await part_in_state(status, person, state)
    assert part["error_code"] == code
    assert part["failure"]["code"] == code
    assert str(code) in part["failure"]["reason"]


@pytest.mark.parametrize("dropped", [("delivered",), ("sent", "delivered")], ids="+".join)
async def test_a_final_callback_that_was_lost_is_made_up_for_by_asking(
    status: StatusApi, person: Person, dropped: tuple[str, ...]
) -> None:
    for lost in dropped:
        match = Match(to=person.number, status=lost)
        await person.simulator.add_fault(Rule(where=Place.CALLBACK, what=Fault.DROP_CALLBACK, match=match))
    await person.text("ECHO did it arrive")
    part = await part_in_state(status, person, "delivered")
    assert part["asked"] >= 1
    assert words(part)[-1] == "delivered"
    assert [text.sid for text in await person.received()] == [part["sid"]]


async def test_an_error_whose_callback_was_lost_is_found_by_asking(status: StatusApi, person: Person) -> None:
    match = Match(to=person.number)
    await person.simulator.add_fault(Rule(where=Place.CALLBACK, what=Fault.DROP_CALLBACK, match=match))
    await ask_for_an_answer(person, Rule(where=Place.CREATE, what=Fault.ASYNC_ERROR, code=30005, match=match))
    part = await part_in_state(status, person, "undelivered")
    assert (part["error_code"], part["failure"]["code"]) == (30005, 30005)


async def test_a_text_that_never_gets_a_receipt_stays_sent(status: StatusApi, person: Person) -> None:
    rule = Rule(where=Place.CREATE, what=Fault.NEVER_FINAL, match=Match(to=person.number))
    await ask_for_an_answer(person, rule)

    async def asked_twice() -> Any:
        part = await part_in_state(status, person, "sent")
        return part if part["asked"] >= 2 else None

    part = await wait_until(asked_twice, 30.0, what="two questions")
    assert (part["status"], words(part), part["failure"]) == ("sent", ["sent"], None)
    assert len(await person.received()) == 1
