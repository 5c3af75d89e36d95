"""``parley dead-letters list`` and ``show`` against a real broker."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from harness.stack import Stack
from integration.cli.command import done, refusal
from integration.common.connections import NUMBER, PERSON, a_text
from parley_common import topology
from parley_common.bus import Bus, Stored
from parley_common.dead_letters import Place, bury, letter_id
from parley_common.events import DeadLetter, LetterReplayed

pytestmark = pytest.mark.anyio

SUBJECT = topology.texts("c")
WORDS = "my darkest secret"


async def buried(bus: Bus, service: str = "agent", reason: str = "the brain failed", body: str = WORDS) -> str:
    """A text and its letter, whose id is returned."""
    seq = await bus.publish(SUBJECT, a_text(body=body))
    await bury(bus, await stored(bus, seq), reason, service=service, channel="default")
    return letter_id(service, SUBJECT, seq)


async def stored(bus: Bus, seq: int) -> Stored:
    found = await bus.next(SUBJECT, seq=seq)
    assert found is not None
    return found


async def replayed(bus: Bus, letter: str) -> None:
    """Its letter is closed."""
    event = LetterReplayed(id=f"r-{letter}", at=datetime.now(UTC), channel="", conversation="c", letter=letter)
    await bus.publish(topology.REPLAYED, event)


async def test_where_there_are_none_it_says_so(broker: Stack) -> None:
    assert await done(broker, "dead-letters", "list") == "There are no dead letters.\n"
    assert await done(broker, "dead-letters", "list", "--json") == "[]\n"


async def test_the_open_ones_are_listed_and_with_all_the_replayed_ones_too(broker: Stack, bus: Bus) -> None:
    first, second = await buried(bus), await buried(bus, service="status")
    await replayed(bus, first)
    listed = await done(broker, "dead-letters", "list")
    assert first[:12] not in listed
    assert second[:12] in listed
    assert f"{topology.CONVERSATIONS} 2" in listed
    everything = await done(broker, "dead-letters", "list", "--all")
    assert first[:12] in everything
    assert second[:12] in everything


async def test_one_services_letters_can_be_asked_for(broker: Stack, bus: Bus) -> None:
    agent, status = await buried(bus), await buried(bus, service="status")
    listed = await done(broker, "dead-letters", "list", "--service", "status")
    assert status[:12] in listed
    assert agent[:12] not in listed


async def test_as_json_they_are_for_programs(broker: Stack, bus: Bus) -> None:
    letter = await buried(bus)
    (row,) = json.loads(await done(broker, "dead-letters", "list", "--json"))
    assert (row["id"], row["open"], row["sequence"], row["service"]) == (letter, True, 1, "agent")
    assert row["reason"] == "the brain failed"


async def test_a_letter_is_found_by_the_beginning_of_its_id(broker: Stack, bus: Bus) -> None:
    letter = await buried(bus)
    assert letter in await done(broker, "dead-letters", "show", letter[:10])
    assert "there is no dead letter 'zz'" in await refusal(broker, "dead-letters", "show", "zz")


async def test_an_id_that_could_be_several_is_refused(broker: Stack, bus: Bus) -> None:
    letters = [await buried(bus) for _ in range(17)]
    twice = next(one[0] for n, one in enumerate(letters) if one[0] in {other[0] for other in letters[:n]})
    assert "write more of the id" in await refusal(broker, "dead-letters", "show", twice)


async def test_showing_one_tells_neither_its_text_nor_a_whole_number(broker: Stack, bus: Bus) -> None:
    letter = await buried(bus, reason=f"no way to reach {PERSON}")
    said = await done(broker, "dead-letters", "show", letter)
    assert f"{len(WORDS)} characters" in said
    assert "+1555•••0200" in said
    assert "InboundMessage" in said
    for secret in (WORDS, PERSON, NUMBER, PERSON[-7:]):
        assert secret not in said


async def test_a_list_tells_no_number_that_a_reason_may_hold(broker: Stack, bus: Bus) -> None:
    await buried(bus, reason=f"no way to reach {PERSON}")
    assert PERSON not in await done(broker, "dead-letters", "list")


async def test_the_message_itself_is_printed_when_asked_for(broker: Stack, bus: Bus) -> None:
    letter = await buried(bus)
    printed = json.loads(await done(broker, "dead-letters", "show", letter, "--body"))
    assert (printed["body"], printed["contact"]) == (WORDS, PERSON)


async def test_what_cannot_be_read_is_shown_as_that(broker: Stack, bus: Bus) -> None:
    seq = (await bus.js.publish(SUBJECT, b"\xffnonsense")).seq
    await bury(bus, await stored(bus, seq), "not a readable text", service="agent")
    said = await done(broker, "dead-letters", "show", letter_id("agent", SUBJECT, seq))
    assert "this release cannot read it" in said
    assert "nonsense" not in said


async def test_a_younger_message_under_the_same_sequence_is_not_taken_for_the_letters(
    broker: Stack, bus: Bus
) -> None:
    """As after a restore from a backup that is older than the letter's message."""
    await bus.publish(SUBJECT, a_text())
    letter = DeadLetter(
        id="old",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        channel="",
        conversation="c",
        stream=topology.CONVERSATIONS,
        sequence=1,
        subject=SUBJECT,
        reason="long ago",
        service="agent",
    )
    await bus.publish(topology.dead_letter("agent"), letter)
    assert "not in the stream any more" in await done(broker, "dead-letters", "show", "old")
    assert "not in the stream any more" in await refusal(broker, "dead-letters", "show", "old", "--body")


async def test_two_services_that_give_up_on_one_message_write_a_letter_each(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(SUBJECT, a_text())
    for service in ("agent", "status", "status"):
        await bury(bus, Place(subject=SUBJECT, seq=seq), "not foldable", service=service)
    rows = json.loads(await done(broker, "dead-letters", "list", "--json"))
    assert sorted(row["service"] for row in rows) == ["agent", "status"]


async def test_each_letter_is_counted_once_however_often_it_is_written(bus: Bus) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("parley_dead_letters_total", {"service": "counting"}) or 0.0

    for seq in (1, 1, 2, 1):
        await bury(bus, Place(subject=SUBJECT, seq=seq), "not foldable", service="counting")
    assert counted() == 2


async def test_a_letter_that_was_written_again_after_its_replay_is_open_again(broker: Stack, bus: Bus) -> None:
    letter = await buried(bus)
    await replayed(bus, letter)
    assert "There are no dead letters." in await done(broker, "dead-letters", "list")
    again = await bus.last(topology.dead_letter("agent"))
    assert again is not None
    event = again.event()
    assert isinstance(event, DeadLetter)
    later = DeadLetter(
        **{name: getattr(event, name) for name in event.__struct_fields__} | {"at": datetime.now(UTC)}
    )
    await bus.publish(topology.dead_letter("agent"), later)
    (row,) = json.loads(await done(broker, "dead-letters", "list", "--json"))
    assert row["id"] == letter
