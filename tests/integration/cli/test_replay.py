"""``parley dead-letters replay``: processed again, once, and never where something may have been sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from harness.stack import Stack
from integration.cli.command import done, parley, refusal
from integration.common.connections import NUMBER, PERSON, a_text, history
from parley_common import topology
from parley_common.bus import Bus
from parley_common.dead_letters import Place, bury, letter_id
from parley_common.events import (
    FailureClass,
    InboundMessage,
    LetterReplayed,
    OutboundMessage,
    PartAttempted,
    PartFailed,
    Priority,
    Reply,
    Slot,
    TurnDone,
    TurnOutcome,
)
from parley_common.lanes import LANES, NOTIFICATIONS, Lane
from parley_common.requests import REPLAY, Answer, ReplayRequest

pytestmark = pytest.mark.anyio

C = "c"
TEXTS, TURNS = topology.texts(C), topology.turn_done(C)
PAST, FUTURE = timedelta(hours=-2), timedelta(hours=1)
_COMMON: dict[str, Any] = {"channel": "default", "conversation": C}


async def bury_at(bus: Bus, subject: str, seq: int, service: str) -> str:
    """A letter of a service for a message; returns its id."""
    await bury(bus, Place(subject=subject, seq=seq), "it did not work", service=service, channel="default")
    return letter_id(service, subject, seq)


async def end_turn(bus: Bus, first: int, upto: int, outcome: TurnOutcome = TurnOutcome.FAILED) -> None:
    """The agent's end of a turn over these texts."""
    last = await bus.last(topology.own(C))
    done = a_turn(first=first, upto=upto, outcome=outcome)
    await bus.append(TURNS, done, after=last.seq if last else 0, chain=topology.own(C))


def a_turn(expires: timedelta = FUTURE, **fields: Any) -> TurnDone:
    """A turn that answers with two messages."""
    usual: dict[str, Any] = {
        "id": f"turn-{fields.get('first', 1)}",
        "at": datetime.now(UTC),
        "upto": 1,
        "first": 1,
        "outcome": TurnOutcome.ANSWERED,
        "sender": NUMBER,
        "contact": PERSON,
        "expires_at": datetime.now(UTC) + expires,
        "messages": (Reply(id="one", text="first"), Reply(id="two", text="second")),
    }
    return TurnDone(**_COMMON, **usual | fields)


def a_message(expires: timedelta, priority: Priority) -> OutboundMessage:
    """A text without a turn."""
    return OutboundMessage(
        **_COMMON,
        id="message",
        at=datetime.now(UTC),
        sender=NUMBER,
        contact=PERSON,
        expires_at=datetime.now(UTC) + expires,
        messages=(Reply(id="one", text="first"),),
        priority=priority,
    )


async def part(bus: Bus, kind: str, *, turn: int, message: str = "one", chain: str = topology.sends(C)) -> None:
    """An event of a part on one of the conversation's chains of sends."""
    common = {
        **_COMMON,
        "id": f"{kind}-{turn}-{message}",
        "at": datetime.now(UTC),
        "part_id": f"p-{message}",
        "message_id": message,
        "slot": Slot(turn=turn, message=0, part=0),
        "of": 1,
    }
    if kind == "attempted":
        await bus.publish(
            chain, PartAttempted(**common, sender=NUMBER, contact=PERSON, body="first", attempt=1, worker="w")
        )
    else:
        failure: dict[str, Any] = {
            "attempted": 0,
            "failure": FailureClass.EXPIRED,
            "final": True,
            "reason": "it expired",
        }
        await bus.publish(chain, PartFailed(**common, **failure))


async def texts(bus: Bus) -> list[InboundMessage]:
    return [event for one in await history(bus, TEXTS) if isinstance(event := one.event(), InboundMessage)]


async def outbound(bus: Bus, priority: Priority = Priority.REPLY) -> list[OutboundMessage]:
    """What was handed to egress without a turn, where messages of that priority belong."""
    stored = await history(bus, topology.outbound(C, priority))
    return [event for one in stored if isinstance(event := one.event(), OutboundMessage)]


async def is_open(broker: Stack, letter: str) -> bool:
    rows = json.loads(await done(broker, "dead-letters", "list", "--json"))
    return letter in [row["id"] for row in rows]


async def test_a_text_whose_turn_failed_is_published_again_as_of_now(broker: Stack, bus: Bus) -> None:
    old = a_text(body="hello", at=datetime.now(UTC) - timedelta(days=2))
    seq = await bus.publish(TEXTS, old, dedupe=True)
    letter = await bury_at(bus, TEXTS, seq, "agent")
    await end_turn(bus, seq, seq)
    before = datetime.now(UTC)
    assert "1 text in again" in await done(broker, "dead-letters", "replay", letter)
    _, again = await texts(bus)
    assert again.id == f"{old.id}-replay-{letter[:8]}"
    assert before <= again.at <= datetime.now(UTC)
    assert msgspec.structs.replace(again, id=old.id, at=old.at) == old
    assert not await is_open(broker, letter)
    (closed,) = await history(bus, topology.REPLAYED)
    assert isinstance(event := closed.event(), LetterReplayed)
    assert (event.letter, event.conversation) == (letter, C)


async def test_a_letter_is_replayed_once(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(TEXTS, a_text(), dedupe=True)
    letter = await bury_at(bus, TEXTS, seq, "agent")
    await end_turn(bus, seq, seq)
    await done(broker, "dead-letters", "replay", letter)
    assert "was replayed on" in await refusal(broker, "dead-letters", "replay", letter)
    assert len(await texts(bus)) == 2


async def test_a_replay_that_broke_off_before_the_letter_was_closed_stores_no_second_text(
    broker: Stack, bus: Bus
) -> None:
    text = a_text()
    seq = await bus.publish(TEXTS, text, dedupe=True)
    letter = await bury_at(bus, TEXTS, seq, "agent")
    await end_turn(bus, seq, seq)
    again = msgspec.structs.replace(text, id=f"{text.id}-replay-{letter[:8]}", at=datetime.now(UTC))
    await bus.publish(TEXTS, again, dedupe=True)
    await done(broker, "dead-letters", "replay", letter)
    assert len(await texts(bus)) == 2


async def test_all_texts_of_the_turn_that_failed_go_in_again_in_order(broker: Stack, bus: Bus) -> None:
    first, last = [await bus.publish(TEXTS, a_text(body=body), dedupe=True) for body in ("one", "two")]
    await bus.publish(TEXTS, a_text(body="answered"), dedupe=True)
    letter = await bury_at(bus, TEXTS, first, "agent")
    await end_turn(bus, first, last)
    await done(broker, "dead-letters", "replay", letter)
    assert [text.body for text in await texts(bus)] == ["one", "two", "answered", "one", "two"]


async def test_a_text_that_was_answered_after_all_is_not_answered_again(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(TEXTS, a_text(), dedupe=True)
    letter = await bury_at(bus, TEXTS, seq, "agent")
    await end_turn(bus, seq, seq, TurnOutcome.ANSWERED)
    assert "was answered after all" in await done(broker, "dead-letters", "replay", letter)
    assert len(await texts(bus)) == 1
    assert not await is_open(broker, letter)


async def test_a_text_whose_turn_has_not_ended_is_left_to_the_agent(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(TEXTS, a_text(), dedupe=True)
    letter = await bury_at(bus, TEXTS, seq, "agent")
    assert "the agent is not done with" in await refusal(broker, "dead-letters", "replay", letter)
    assert len(await texts(bus)) == 1


@pytest.mark.parametrize("data", [b"\xff", b'{"type":"InboundMessage","id":"\xff"}', b'{"type":"Unheard"}'])
async def test_a_text_that_still_cannot_be_read_stays_a_letter(broker: Stack, bus: Bus, data: bytes) -> None:
    seq = (await bus.js.publish(TEXTS, data)).seq
    letter = await bury_at(bus, TEXTS, seq, "agent")
    await end_turn(bus, seq, seq, TurnOutcome.UNREADABLE)
    assert "still cannot be read" in await refusal(broker, "dead-letters", "replay", letter)
    assert await is_open(broker, letter)


async def test_a_message_that_is_gone_is_named(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(TEXTS, a_text())
    letter = await bury_at(bus, TEXTS, seq, "agent")
    await bus.js.purge_stream(topology.CONVERSATIONS)
    assert f"CONVERSATIONS {seq} is not in the stream" in await refusal(broker, "dead-letters", "replay", letter)


async def test_an_expired_turn_that_egress_could_not_read_is_sent_as_of_now(broker: Stack, bus: Bus) -> None:
    turn = a_turn(PAST)
    seq = await bus.publish(TURNS, turn)
    letter = await bury_at(bus, TURNS, seq, "egress")
    before = datetime.now(UTC)
    assert "handed to egress again" in await done(broker, "dead-letters", "replay", letter)
    (again,) = await outbound(bus)
    assert again.messages == turn.messages
    assert (again.sender, again.contact, again.priority) == (NUMBER, PERSON, Priority.REPLY)
    assert before + timedelta(minutes=59) < again.expires_at < datetime.now(UTC) + timedelta(minutes=61)
    assert not await is_open(broker, letter)


async def test_a_turn_that_egress_may_still_send_is_refused(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(TURNS, a_turn(FUTURE))
    letter = await bury_at(bus, TURNS, seq, "egress")
    assert "egress may still send" in await refusal(broker, "dead-letters", "replay", letter)
    assert await outbound(bus) == []
    assert await is_open(broker, letter)


async def test_a_turn_that_egress_has_passed_over_is_sent(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(TURNS, a_turn(FUTURE))
    letter = await bury_at(bus, TURNS, seq, "egress")
    await part(bus, "attempted", turn=seq + 5, message="later")
    await done(broker, "dead-letters", "replay", letter)
    assert len(await outbound(bus)) == 1


@pytest.mark.parametrize("chain", [lane.chain(C) for lane in LANES])
async def test_a_turn_of_which_a_part_was_attempted_is_never_sent_again(
    broker: Stack, bus: Bus, chain: str
) -> None:
    seq = await bus.publish(TURNS, a_turn(PAST))
    letter = await bury_at(bus, TURNS, seq, "egress")
    await part(bus, "attempted", turn=seq, message="two", chain=chain)
    assert "was sent or attempted already" in await refusal(broker, "dead-letters", "replay", letter)
    assert await outbound(bus) == []


@pytest.mark.parametrize("priority", Priority)
async def test_an_expired_message_without_a_turn_is_sent_where_its_priority_belongs(
    broker: Stack, bus: Bus, priority: Priority
) -> None:
    old = a_message(PAST, priority=priority)
    seq = await bus.publish(topology.outbound(C, priority), old)
    letter = await bury_at(bus, topology.outbound(C, priority), seq, "egress")
    await done(broker, "dead-letters", "replay", letter)
    first, again = await outbound(bus, priority)
    assert first == old
    assert (again.messages, again.priority) == (old.messages, priority)


@pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.durable)
async def test_a_message_that_egress_has_passed_over_on_another_lane_may_still_be_sent(
    broker: Stack, bus: Bus, lane: Lane
) -> None:
    subject = topology.notifications(C)
    seq = await bus.publish(subject, a_message(FUTURE, priority=Priority.NOTIFICATION))
    letter = await bury_at(bus, subject, seq, "egress")
    await part(bus, "attempted", turn=seq + 5, message="later", chain=lane.chain(C))
    if lane is NOTIFICATIONS:
        await done(broker, "dead-letters", "replay", letter)
    else:
        assert "egress may still send" in await refusal(broker, "dead-letters", "replay", letter)
    assert len(await outbound(bus, Priority.NOTIFICATION)) == (2 if lane is NOTIFICATIONS else 1)


async def test_a_turn_of_which_all_parts_expired_is_sent(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(TURNS, a_turn(PAST))
    letter = await bury_at(bus, TURNS, seq, "egress")
    await part(bus, "expired", turn=seq)
    await done(broker, "dead-letters", "replay", letter)
    assert len(await outbound(bus)) == 1


async def test_a_turn_that_still_cannot_be_read_stays_a_letter(broker: Stack, bus: Bus) -> None:
    seq = (await bus.js.publish(TURNS, b"{")).seq
    letter = await bury_at(bus, TURNS, seq, "egress")
    assert "still cannot be read" in await refusal(broker, "dead-letters", "replay", letter)
    assert await is_open(broker, letter)


@asynccontextmanager
async def status_that_answers(bus: Bus, answer: bytes) -> AsyncIterator[list[ReplayRequest]]:
    """Somebody who answers in the place of status; what was asked."""
    asked: list[ReplayRequest] = []

    async def on_request(request: Any) -> None:
        asked.append(msgspec.json.decode(request.data, type=ReplayRequest))
        await bus.nc.publish(request.reply, answer)

    subscription = await bus.nc.subscribe(REPLAY, cb=on_request)
    await bus.nc.flush()
    yield asked
    await subscription.unsubscribe()


async def test_what_status_could_not_fold_it_is_asked_to_fold_again(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(topology.reports(C, "p"), a_text())
    letter = await bury_at(bus, topology.reports(C, "p"), seq, "status")
    answer = msgspec.json.encode(Answer(ok=True, words="REPORTS 1 is folded"))
    async with status_that_answers(bus, answer) as asked:
        assert await done(broker, "dead-letters", "replay", letter) == "REPORTS 1 is folded\n"
    assert asked == [ReplayRequest(stream=topology.REPORTS, sequence=seq)]
    assert not await is_open(broker, letter)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (msgspec.json.encode(Answer(ok=False, words="REPORTS 1 is still no event")), "still no event"),
        (b"{}", "the answer of status cannot be read"),
    ],
    ids=["no", "another release"],
)
async def test_where_status_says_no_the_letter_stays_open(
    broker: Stack, bus: Bus, answer: bytes, words: str
) -> None:
    seq = await bus.publish(topology.reports(C, "p"), a_text())
    letter = await bury_at(bus, topology.reports(C, "p"), seq, "status")
    async with status_that_answers(bus, answer):
        assert words in await refusal(broker, "dead-letters", "replay", letter)
    assert await is_open(broker, letter)


async def test_where_no_status_runs_it_says_so(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(topology.reports(C, "p"), a_text())
    letter = await bury_at(bus, topology.reports(C, "p"), seq, "status")
    assert "no status is there to answer" in await refusal(broker, "dead-letters", "replay", letter)
    assert await is_open(broker, letter)


async def test_with_all_one_that_fails_stops_no_other(broker: Stack, bus: Bus) -> None:
    good, bad = [
        await bus.publish(TEXTS, a_text(body="good"), dedupe=True),
        (await bus.js.publish(TEXTS, b"{")).seq,
    ]
    letters = [await bury_at(bus, TEXTS, seq, "agent") for seq in (bad, good)]
    await end_turn(bus, good, good)
    await end_turn(bus, bad, bad, TurnOutcome.UNREADABLE)
    ended = await parley(broker, "dead-letters", "replay", "--all")
    assert ended.code == 1
    assert "1 letter replayed, 1 still open." in ended.out
    assert letters[0][:12] in ended.err
    assert [await is_open(broker, letter) for letter in letters] == [True, False]


async def test_with_all_the_letters_of_one_service_can_be_chosen(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(TEXTS, a_text(), dedupe=True)
    agent, status = [await bury_at(bus, TEXTS, seq, service) for service in ("agent", "status")]
    await end_turn(bus, seq, seq)
    assert "1 letter replayed" in await done(broker, "dead-letters", "replay", "--all", "--service", "agent")
    assert [await is_open(broker, letter) for letter in (agent, status)] == [False, True]


async def test_two_who_replay_at_once_store_one_text(broker: Stack, bus: Bus) -> None:
    seq = await bus.publish(TEXTS, a_text(), dedupe=True)
    letter = await bury_at(bus, TEXTS, seq, "agent")
    await end_turn(bus, seq, seq)
    await asyncio.gather(*(parley(broker, "dead-letters", "replay", letter) for _ in range(3)))
    assert len(await texts(bus)) == 2
    assert len(await history(bus, topology.REPLAYED)) == 1
