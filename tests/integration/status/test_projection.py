"""Whatever the order, the batches and the repetitions, the same events leave the same rows."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest

from integration.status.rows import all_rows, empty, fold_all
from parley_common.events import Event
from parley_status.database import DATABASE_ERROR, Database, is_trouble
from parley_status.projection import Recorded
from parley_status.queries import find_conversation, find_message, list_conversations
from parley_status.views import MessageView, TakenView
from unit.status.samples import (
    CONTACT,
    CONVERSATION,
    NUMBER,
    at,
    attempted,
    consent,
    done,
    failed,
    inbound,
    note,
    released,
    report,
    sent,
    sid,
    story,
    taken,
)

pytestmark = pytest.mark.anyio

_ORDERS = 25


async def message(database: Database, message_id: str) -> MessageView:
    found = await database.read(partial(find_message, message_id=message_id))
    assert found is not None
    return found


def recorded(*events: Event) -> list[Recorded]:
    return [Recorded(40 + place, event) for place, event in enumerate(events)]  # type: ignore[arg-type]


async def test_the_whole_story_gives_the_states_people_see(database: Database) -> None:
    await fold_all(database, story())
    reply = await message(database, "reply")
    assert [(part.state, part.attempts, part.conflict) for part in reply.parts] == [
        ("delivered", 1, ()),
        ("delivered", 2, ("delivered", "undelivered")),
    ]
    assert (reply.state, reply.segments, reply.outcome) == ("delivered", 2, "answered")
    assert [(r.status, r.known) for r in reply.parts[1].reports] == [
        ("sent", True),
        ("undelivered", True),
        ("delivered", True),
        ("gone fishing", False),
    ]
    conversation = await database.read(
        partial(find_conversation, conversation_id=CONVERSATION, limit=10, before=None)
    )
    assert conversation is not None
    assert [(m.id, m.state, m.turn) for m in conversation.messages] == [
        ("SMin", "handled", 30),
        ("SMin2", "handled", 30),
        ("reply", "delivered", 30),
        ("SMin3", "received", None),
        ("SMlate", "unanswered", 48),
        ("note", "sent", None),
    ]
    assert [m.origin for m in conversation.messages] == [None, None, "reply", None, None, "operator"]
    assert not conversation.opted_out


async def test_folding_a_stream_again_changes_nothing(database: Database) -> None:
    await fold_all(database, story())
    expected = await all_rows(database)
    await fold_all(database, story())
    for one in story():
        await fold_all(database, [one])
    assert await all_rows(database) == expected


@pytest.mark.parametrize("seed", range(_ORDERS))
async def test_any_order_batches_and_repetitions_give_the_same_rows(database: Database, seed: int) -> None:
    await fold_all(database, story())
    expected = await all_rows(database)
    await empty(database)
    chance = random.Random(seed)
    events = story() + chance.sample(story(), 6)
    chance.shuffle(events)
    while events:
        size = chance.randint(1, 8)
        await fold_all(database, events[:size])
        events = events[size:]
    assert await all_rows(database) == expected


@pytest.mark.parametrize("by", ["part_id", "sid"])
async def test_reports_that_come_first_are_kept_until_the_part_is_known(database: Database, by: str) -> None:
    part_id = "part-0" if by == "part_id" else None
    early = [report("sent", part_id=part_id), report("delivered", second=8, part_id=part_id)]
    await fold_all(database, recorded(*early))
    await fold_all(database, recorded(done(10, 11)))
    assert (await message(database, "reply")).state == "queued"
    await fold_all(database, recorded(sent()))
    reply = await message(database, "reply")
    assert (reply.parts[0].status, reply.state) == ("delivered", "sending")


async def test_a_report_that_names_no_part_is_found_by_its_sid(database: Database) -> None:
    await fold_all(database, recorded(done(10, 11), attempted(), sent()))
    await fold_all(database, recorded(report("delivered", part_id=None)))
    assert (await message(database, "reply")).parts[0].status == "delivered"


async def test_a_report_of_another_channel_moves_nothing(database: Database) -> None:
    await fold_all(database, recorded(done(10, 11), attempted(), sent()))
    await fold_all(database, recorded(report("failed", channel="other")))
    assert (await message(database, "reply")).parts[0].status == "queued"


async def test_a_refused_part_tells_the_message_why(database: Database) -> None:
    await fold_all(database, recorded(done(10, 11), attempted(), failed()))
    reply = await message(database, "reply")
    assert reply.state == "failed"
    assert reply.failure is not None
    assert (reply.failure.code, reply.failure.reason) == (21614, "The number is not a mobile number.")


async def test_stop_and_start_show_on_the_conversation(database: Database) -> None:
    find = partial(find_conversation, conversation_id=CONVERSATION, limit=1, before=None)
    for event, opted_out in (
        (inbound(), False),
        (consent(granted=False, second=10), True),
        (consent(granted=True, second=9), True),
        (consent(granted=True, second=11), False),
    ):
        await fold_all(database, recorded(event))
        found = await database.read(find)
        assert found is not None
        assert found.opted_out is opted_out


async def test_a_note_alone_makes_a_conversation(database: Database) -> None:
    await fold_all(database, recorded(note()))
    found = await database.read(partial(find_conversation, conversation_id=CONVERSATION, limit=9, before=None))
    assert found is not None
    assert (found.contact, found.last_activity) == (CONTACT, at(30))
    assert [(m.id, m.direction, m.state, m.our_address) for m in found.messages] == [
        ("note", "outbound", "queued", NUMBER)
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "reversed"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_text_that_was_stored_twice_counts_where_it_came_first(
    database: Database, order: tuple[int, int], at_once: bool
) -> None:
    twice = [Recorded(10, inbound()), Recorded(60, inbound(body="Is the library open?", second=50))]
    batch = [twice[place] for place in order]
    for part in [batch] if at_once else [batch[:1], batch[1:]]:
        await fold_all(database, part)
    await fold_all(database, [Recorded(70, done(10, 10))])
    found = await message(database, "SMin")
    assert (found.created_at, found.state, found.turn) == (at(0), "handled", 70)


async def test_a_text_with_a_nul_is_kept(database: Database) -> None:
    await fold_all(database, recorded(inbound(body="a\0b")))
    assert (await message(database, "SMin")).body == "a\ufffdb"


async def test_a_batch_that_is_refused_leaves_nothing_behind(database: Database) -> None:
    too_large = msgspec.structs.replace(sent(), segments=2**70)
    with pytest.raises((OverflowError, DATABASE_ERROR)) as caught:
        await fold_all(database, recorded(done(10, 11), too_large))
    assert not is_trouble(caught.value)
    assert not any((await all_rows(database)).values())


async def test_many_reports_of_many_parts_are_folded_at_once(database: Database) -> None:
    reports = [report("sent", part, second=part, part_id=None, sid=sid(part)) for part in range(900)]
    await fold_all(database, recorded(*reports, *reports))
    assert len((await all_rows(database))["delivery_reports"]) == 900


async def test_a_conversation_tells_who_answers_it_in_place_of_the_brain(database: Database) -> None:
    now_s = (datetime.now(UTC) - at(0)).total_seconds()

    async def told() -> list[TakenView | None]:
        page = await database.read(partial(list_conversations, contact=CONTACT, limit=5, before=None))
        one = await database.read(partial(find_conversation, conversation_id=CONVERSATION, limit=5, before=None))
        assert one is not None
        return [one.taken, *(line.taken for line in page.conversations)]

    await fold_all(database, recorded(inbound()))
    assert await told() == [None, None]
    for n, by in enumerate(("alice", "bob")):
        held = taken(by, until=now_s + 3600)
        await fold_all(database, [Recorded(60 + n, held)])
        assert await told() == [TakenView(by=by, until=at(now_s + 3600))] * 2
    await fold_all(database, [Recorded(70, released())])
    assert await told() == [None, None]
    await fold_all(database, [Recorded(80, taken("carol", until=now_s - 1))])
    assert await told() == [None, None]
