"""Promise P9: texts that never arrived are found in Twilio's log and brought in. Promise P2: each of them once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness.stack import Stack
from harness.waiting import wait_until
from integration.ingress.conftest import opened_log
from integration.ingress.sender import ACCOUNT, IDENTITY, NUMBER, PERSON, SETTINGS, Sender, text, texts
from integration.ingress.twilio_log_server import SERVICE, TwilioLogServer, row
from parley_common import topology
from parley_common.bus import Bus
from parley_common.channels import Channel, Channels
from parley_common.consent import ConsentLedger
from parley_common.events import ConsentChanged, InboundMessage, LogRead, Media
from parley_common.leases import Leases
from parley_ingress.backfill import Backfill, Found
from parley_ingress.marks import Marks
from parley_ingress.rounds import Pace, Rounds

pytestmark = [
    pytest.mark.anyio,
    # of Twilio's client
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated"),
]

KEPT = timedelta(days=30)
NOW = datetime.now(UTC).replace(microsecond=0)
BEGIN, END = NOW - timedelta(hours=2), NOW - timedelta(minutes=3)
MISSED = NOW - timedelta(hours=1)


def counts(found: Found) -> tuple[int, int, int]:
    return found.found, found.brought_in, found.known


async def test_a_text_that_no_webhook_told_of_is_brought_in_as_its_webhook_would_have(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [missed := row(MISSED, "Grüße", num_media="1")]
    twilio.media = {missed["sid"]: ["ME" + "d" * 32]}
    assert counts(await backfill.bring_in(channel, NUMBER, BEGIN, END)) == (1, 1, 0)
    url = f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT}/Messages/{missed['sid']}/Media/ME{'d' * 32}"
    assert await texts(bus) == [
        InboundMessage(
            id=missed["sid"],
            at=MISSED,
            channel="default",
            conversation=IDENTITY.conversation("default", PERSON),
            account_sid=ACCOUNT,
            contact=PERSON,
            recipient=NUMBER,
            body="Grüße",
            media=(Media(url=url, content_type="image/png"),),
            backfilled=True,
        )
    ]


async def test_only_what_people_texted_in_the_period_is_brought_in_and_oldest_first(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [
        row(BEGIN - timedelta(seconds=1), "too old"),
        row(BEGIN, "first"),
        row(MISSED, "ours", direction="outbound-api"),
        row(MISSED, "to another number", to="+15550009999"),
        row(END, "last"),
        row(END + timedelta(seconds=1), "too young"),
    ]
    assert counts(await backfill.bring_in(channel, NUMBER, BEGIN, END)) == (2, 2, 0)
    assert [message.body for message in await texts(bus)] == ["first", "last"]


async def test_the_log_is_read_page_by_page_and_no_further_than_needed(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.most = 10
    twilio.rows = [row(BEGIN - timedelta(days=1), "old") for _ in range(50)]
    twilio.rows += [row(BEGIN + timedelta(minutes=n), str(n)) for n in range(25)]
    assert counts(await backfill.bring_in(channel, NUMBER, BEGIN, END)) == (25, 25, 0)
    assert [message.body for message in await texts(bus)] == [str(n) for n in range(25)]
    assert len(twilio.asked) == 3


async def test_the_same_period_once_more_brings_in_nothing(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [row(MISSED + timedelta(seconds=n), str(n)) for n in range(5)]
    assert counts(await backfill.bring_in(channel, NUMBER, BEGIN, END)) == (5, 5, 0)
    assert counts(await backfill.bring_in(channel, NUMBER, BEGIN, END)) == (5, 0, 5)
    assert len(await texts(bus)) == 5


async def test_a_text_whose_webhook_came_is_not_stored_again_and_a_late_webhook_stores_nothing(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus, sender: Sender
) -> None:
    came, late = text("came"), text("late")
    assert (await sender.post(came)).status_code == 200
    assert (await sender.post(text("another"))).status_code == 200
    twilio.rows = [row(MISSED, "came", sid=came["MessageSid"]), row(MISSED, "late", sid=late["MessageSid"])]
    assert counts(await backfill.bring_in(channel, NUMBER, BEGIN, END)) == (2, 1, 1)
    assert (await sender.post(late)).status_code == 200
    kept = await texts(bus)
    assert [(one.body, one.backfilled) for one in kept] == [("came", False), ("another", False), ("late", True)]


async def test_two_replicas_at_once_bring_in_each_text_once(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus, consent: ConsentLedger
) -> None:
    twilio.rows = [row(MISSED + timedelta(seconds=n), str(n)) for n in range(30)]
    async with opened_log() as log:
        other = Backfill(bus, IDENTITY, consent, log)
        await asyncio.gather(*(one.bring_in(channel, NUMBER, BEGIN, END) for one in (backfill, other)))
    assert sorted(int(message.body) for message in await texts(bus)) == list(range(30))


async def test_a_text_older_than_the_brokers_memory_is_known_by_the_stream(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    """The broker forgets a MessageSid after a day; here it is made to forget it at once."""
    old = NOW - timedelta(days=5)
    twilio.rows = [row(old, "long ago"), row(old + timedelta(minutes=1), "a minute later")]
    since = old - timedelta(minutes=5)
    assert counts(await backfill.bring_in(channel, NUMBER, since, END)) == (2, 2, 0)
    config = (await bus.js.stream_info(topology.CONVERSATIONS)).config
    window = config.duplicate_window
    config.duplicate_window = 0.1
    await bus.js.update_stream(config)
    try:
        await asyncio.sleep(0.5)
        assert counts(await backfill.bring_in(channel, NUMBER, since, END)) == (2, 0, 2)
        twilio.rows.append(missed := row(old + timedelta(minutes=2), "missed"))
        assert counts(await backfill.bring_in(channel, NUMBER, since, END)) == (3, 1, 2)
    finally:
        config.duplicate_window = window
        await bus.js.update_stream(config)
    assert [message.id for message in await texts(bus)][-1] == missed["sid"]
    assert len(await texts(bus)) == 3


async def test_a_stop_that_was_missed_counts_as_of_the_time_it_was_said(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, consent: ConsentLedger
) -> None:
    twilio.rows = [row(MISSED, "STOP")]
    await backfill.bring_in(channel, NUMBER, BEGIN, END)
    assert not await consent.granted(NUMBER, PERSON)


async def test_a_start_that_arrived_outlasts_an_older_stop_that_did_not(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, consent: ConsentLedger, sender: Sender
) -> None:
    assert (await sender.post(text("START"))).status_code == 200
    twilio.rows = [row(MISSED, "STOP")]
    await backfill.bring_in(channel, NUMBER, BEGIN, END)
    assert await consent.granted(NUMBER, PERSON)


@pytest.mark.parametrize(
    "broken", [{"sid": "SM1"}, {"from": ""}, {"date_created": "yesterday"}, {"date_created": None}, {"sid": None}]
)
async def test_a_text_that_cannot_be_read_stops_none_of_the_others(
    broken: dict[str, object], backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [row(MISSED, "before"), row(MISSED, "broken", **broken), row(MISSED, "after")]
    found = await backfill.bring_in(channel, NUMBER, BEGIN, END)
    assert (found.brought_in, found.problems) == (2, [])
    assert [message.body for message in await texts(bus)] == ["before", "after"]


async def test_a_stop_counts_where_what_was_said_before_cannot_be_read(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    subject = topology.consent(IDENTITY.consent(NUMBER, "+15557779999"))
    await bus.js.publish(subject, b"from another release")
    twilio.rows = [row(MISSED, "STOP", **{"from": "+15557779999"}), row(MISSED, "after")]
    found = await backfill.bring_in(channel, NUMBER, BEGIN, END)
    assert (found.found, found.brought_in, found.unreadable, found.problems) == (2, 2, 0, [])
    change = await bus.last(subject)
    assert change is not None
    assert isinstance(change.event(), ConsentChanged)


async def test_a_text_whose_pictures_are_deleted_comes_without_and_one_whose_cannot_be_listed_comes_later(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [row(MISSED, "picture", num_media="1"), row(MISSED, "words")]
    twilio.media_trouble = 500
    found = await backfill.bring_in(channel, NUMBER, BEGIN, END)
    assert [message.body for message in await texts(bus)] == ["words"]
    assert "Twilio could not answer (HTTP 500" in found.problems[0]
    twilio.media_trouble = 404
    assert (await backfill.bring_in(channel, NUMBER, BEGIN, END)).problems == []
    assert [(one.body, one.media) for one in await texts(bus)] == [("words", ()), ("picture", ())]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "check TWILIO_AUTH_TOKEN"),
        (403, "check TWILIO_AUTH_TOKEN"),
        (404, "check TWILIO_ACCOUNT_SID"),
        (429, "patience"),
        (400, "refused the question"),
        (503, "could not answer"),
    ],
)
async def test_trouble_with_twilio_is_told_in_words(
    status: int, words: str, backfill: Backfill, channel: Channel, twilio: TwilioLogServer
) -> None:
    twilio.trouble = status
    found = await backfill.bring_in(channel, NUMBER, BEGIN, END)
    assert counts(found) == (0, 0, 0)
    assert words in found.problems[0]
    assert str(status) in found.problems[0]


async def test_a_twilio_that_says_nothing_or_is_not_there_is_told_in_words(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer
) -> None:
    twilio.slow_s = 5.0
    found = await backfill.bring_in(channel, NUMBER, BEGIN, END)
    assert "did not answer within 0.5 s" in found.problems[0]
    gone = replace(channel, name="gone", api_base_url="http://127.0.0.1:1")
    found = await backfill.bring_in(gone, NUMBER, BEGIN, END)
    assert "no connection to Twilio" in found.problems[0]


async def test_the_numbers_of_a_messaging_service_come_from_twilio(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer
) -> None:
    twilio.pool = [NUMBER, "+15550003333"]
    pooled = replace(channel, name="pooled", messaging_service_sid=SERVICE)
    assert await backfill.numbers(pooled) == ((NUMBER, "+15550003333"), [])
    twilio.trouble = 503
    numbers, (problem,) = await backfill.numbers(pooled)
    assert numbers == (NUMBER,)
    assert "Messaging Service" in problem


@asynccontextmanager
async def rounds_of(
    backfill: Backfill, channel: Channel, bus: Bus, *, after_s: float = 0.0
) -> AsyncIterator[Rounds]:
    pace = Pace(every_s=0.1, after=timedelta(seconds=after_s), kept=KEPT)
    leases = Leases(bus, topology.Limits())
    await leases.renew()
    yield Rounds(Channels((channel,)), leases, Marks(bus, IDENTITY), backfill, pace)
    await leases.end()


async def mark(bus: Bus) -> datetime:
    stored = await bus.last(topology.log_read(IDENTITY.sender(ACCOUNT, NUMBER)))
    assert stored is not None
    event = stored.event()
    assert isinstance(event, LogRead)
    return event.upto


async def test_what_was_texted_before_the_first_look_is_old_history(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    twilio.rows = [row(datetime.now(UTC) - timedelta(seconds=5), "old")]
    async with rounds_of(backfill, channel, bus) as rounds:
        await rounds.look()
        twilio.rows.append(row(datetime.now(UTC) + timedelta(seconds=1), "new"))
        await asyncio.sleep(1.5)
        await rounds.look()
    assert [message.body for message in await texts(bus)] == ["new"]


async def test_a_webhook_has_its_chance_first(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    now = datetime.now(UTC)
    twilio.rows = [
        row(now - timedelta(minutes=4), "long enough"),
        row(now - timedelta(minutes=2), "still hoped for"),
    ]
    async with rounds_of(backfill, channel, bus, after_s=180.0) as rounds:
        await Marks(bus, IDENTITY).write(channel, NUMBER, BEGIN, NOW)
        await rounds.look()
    assert [message.body for message in await texts(bus)] == ["long enough"]


async def test_the_mark_moves_only_when_all_of_the_period_is_in(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    await Marks(bus, IDENTITY).write(channel, NUMBER, BEGIN, NOW)
    twilio.rows = [row(MISSED, "picture", num_media="1")]
    async with rounds_of(backfill, channel, bus) as rounds:
        for trouble, media_trouble in ((503, 0), (0, 503)):
            twilio.trouble, twilio.media_trouble = trouble, media_trouble
            await rounds.look()
            assert await mark(bus) == BEGIN
        twilio.trouble, twilio.media_trouble, twilio.media = 0, 0, {twilio.rows[0]["sid"]: []}
        await rounds.look()
    assert [message.body for message in await texts(bus)] == ["picture"]
    assert NOW - timedelta(minutes=11) < await mark(bus) < datetime.now(UTC) - timedelta(minutes=9)


async def test_a_restored_backup_has_the_log_read_again(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    """What the last look saw in the stream may be gone from it."""
    await Marks(bus, IDENTITY).write(channel, NUMBER, BEGIN, NOW)
    twilio.rows = [row(MISSED), row(NOW - timedelta(minutes=1))]
    async with rounds_of(backfill, channel, bus) as rounds:
        await rounds.look()
        await rounds.look()
        config = (await bus.js.stream_info(topology.CONVERSATIONS)).config
        await bus.js.delete_stream(topology.CONVERSATIONS)
        await bus.js.add_stream(config)
        await Marks(bus, IDENTITY).write(channel, NUMBER, BEGIN, NOW)
        await rounds.look()
    assert len(await texts(bus)) == 2


async def test_one_replica_at_a_time_asks_twilio(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus
) -> None:
    await Marks(bus, IDENTITY).write(channel, NUMBER, NOW - timedelta(minutes=5), NOW)
    async with rounds_of(backfill, channel, bus) as first, rounds_of(backfill, channel, bus) as second:
        looking = asyncio.create_task(first.keep_looking())
        async with asyncio.timeout(10):
            while not twilio.asked:
                await asyncio.sleep(0.02)
        waiting = asyncio.create_task(second.keep_looking())
        await asyncio.sleep(0.5)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        asked = len(twilio.asked)
        await asyncio.sleep(0.5)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert len(twilio.asked) == asked > 1


async def test_an_ingress_that_waits_for_twilio_ends_in_order_and_leaves_the_work_to_others(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus, broker: Stack
) -> None:
    await Marks(bus, IDENTITY).write(channel, NUMBER, BEGIN, NOW)
    twilio.slow_s = 30.0
    settings = {
        "TWILIO_API_BASE_URL": twilio.url,
        "PARLEY_BACKFILL_EVERY_S": "0.1",
        "PARLEY_TWILIO_TIMEOUT_S": "60",
    }
    waiting = broker.prepare("ingress-9", "ingress", {**SETTINGS, **settings})
    await waiting.start()
    await wait_until(lambda: twilio.asked, what="the question to Twilio")
    await waiting.stop()
    assert waiting.exit_code == 0
    assert "Traceback" not in waiting.output
    leases = Leases(bus, topology.Limits())
    await leases.renew()
    assert await leases.take("backfill") is None
    assert not leases.inherited("backfill"), "it was given back, not left behind"
    await leases.end()


async def test_an_ingress_whose_twilio_is_in_trouble_says_why_and_looks_again(
    backfill: Backfill, channel: Channel, twilio: TwilioLogServer, bus: Bus, broker: Stack
) -> None:
    await Marks(bus, IDENTITY).write(channel, NUMBER, BEGIN, NOW)
    twilio.rows, twilio.trouble = [row(MISSED)], 401
    settings = {"TWILIO_API_BASE_URL": twilio.url, "PARLEY_BACKFILL_EVERY_S": "0.1"}
    looking = broker.prepare("ingress-8", "ingress", {**SETTINGS, **settings})
    await looking.start()
    await wait_until(lambda: "check TWILIO_AUTH_TOKEN" in looking.output, what="the reason in the log")
    twilio.trouble = 0
    await wait_until(lambda: twilio.rows[0]["sid"] in looking.output, what="the text that was missed")
    assert len(await texts(bus)) == 1
    assert PERSON not in looking.output
    await looking.stop()
