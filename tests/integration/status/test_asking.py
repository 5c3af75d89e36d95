"""Parts whose last status callback never comes: Twilio is asked, and its answer is a report like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from harness.privacy import leaks
from harness.stack import running_stack
from harness.waiting import wait_until
from integration.status.asked import STATUS, Asked, running_asked
from parley_common import topology
from parley_common.leases import Leases
from parley_dev.processes import BROKER, DECLARE
from parley_simulator.control_shapes import TokenChange
from parley_simulator.faults import Fault, Place, Rule
from parley_status.asking import MOST_ASKED
from parley_status.database import Database
from parley_status.parts import Part
from parley_status.polling import LEASE, Polling
from parley_status.queries import parts_to_ask_for
from parley_status.settings import read_settings
from unit.status.samples import CONVERSATION, report

pytestmark = [
    pytest.mark.anyio,
    # Twilio's client speaks to aiohttp as it is today.
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated"),
]


@pytest.fixture
async def asked(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Asked]:
    async with running_asked(tmp_path, {}) as made:
        yield made
        assert leaks(made.stack, ["until six"]) == []
        assert made.stack.tracebacks() == {}


async def test_a_final_state_that_nobody_was_called_back_about_is_asked_for(asked: Asked) -> None:
    sid = await asked.create()
    await asked.tell_sent(sid)
    part = await asked.part_when("the delivery that nobody reported", state="delivered")
    assert [(one["sid"], one["known"]) for one in part["reports"]][-1] == (sid, True)
    assert part["asked"] >= 1
    assert part["asked_at"] is not None
    stored = await asked.bus.last(topology.reports(CONVERSATION, "part-0"))
    assert stored is not None
    assert stored.event().id == f"{sid}-delivered-0"


async def test_a_callback_that_comes_after_all_is_the_same_report(asked: Asked) -> None:
    sid = await asked.create()
    await asked.tell_sent(sid)
    await asked.part_when("the delivery that nobody reported", state="delivered")
    late = report("delivered", sid=sid, id=f"{sid}-delivered-0")
    await asked.bus.publish(topology.reports(CONVERSATION, "part-0"), late)
    await asked.bus.publish(topology.reports(CONVERSATION, "part-0"), report("read", second=9, sid=sid))
    part = await asked.part_when("the report after it", state="read")
    assert [one["status"] for one in part["reports"]].count("delivered") == 1


async def test_a_sent_that_stays_so_is_asked_for_a_few_times_and_then_left_alone(asked: Asked) -> None:
    await asked.simulator.add_fault(Rule(where=Place.CREATE, what=Fault.NEVER_FINAL))
    await asked.stack.add_replica(STATUS)
    await asked.tell_sent(await asked.create())
    part = await asked.part_when("the last question", asked=MOST_ASKED)
    assert (part["state"], part["status"], part["conflict"]) == ("sent", "sent", [])
    assert [one["status"] for one in part["reports"]] == ["sent"]
    assert await asked.fetches() == MOST_ASKED


async def test_only_the_replica_that_holds_the_lease_asks(tmp_path: Path, anyio_backend: str) -> None:
    async with running_asked(tmp_path, {"PARLEY_ASK_AFTER_S": "86400"}) as asked:
        await asked.tell_sent(await asked.create())
        await asked.part_when("the part", state="sending")
        settings = read_settings({**asked.stack.environment, "PARLEY_ASK_AFTER_S": "1"})
        assert settings.asking is not None
        database, leases = Database(settings.database_url), Leases(asked.bus, settings.limits)
        await leases.renew()
        polling = Polling(asked.bus, leases, database, settings.asking)
        await wait_until(lambda: asked.bus.last(f"lease.{LEASE}"), what="the service having the lease")
        await wait_until(lambda: due(database), what="the part being due")
        await polling.try_round()
        assert await asked.fetches() == 0
        await asked.stack[STATUS].stop()
        await wait_until(lambda: tried(polling, asked), what="a question")
        await polling.close()
        await asyncio.to_thread(database.close)


async def due(database: Database) -> list[Part]:
    wait = timedelta(seconds=1)
    find = partial(parts_to_ask_for, channel="default", now=datetime.now(UTC), first=wait, limit=1)
    return await database.read(find)


async def tried(polling: Polling, asked: Asked) -> bool:
    await polling.try_round()
    return await asked.fetches() == 1


async def test_what_twilio_does_not_have_is_asked_for_once(asked: Asked) -> None:
    await asked.tell_sent("SM" + "e" * 32)
    part = await asked.part_when("the end of asking", asked=MOST_ASKED)
    assert part["state"] == "sending"
    assert await asked.fetches() == 1


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Rule(where=Place.FETCH, what=Fault.STATUS, status=503, times=2), "Twilio answers HTTP 503"),
        (Rule(where=Place.FETCH, what=Fault.STATUS, status=429, code=20429, times=2), "too many requests"),
        (Rule(where=Place.FETCH, what=Fault.RESET_BEFORE, times=2), "Twilio does not answer"),
    ],
    ids=["503", "429", "reset"],
)
async def test_trouble_with_twilio_is_told_in_words_and_counts_as_no_question(
    asked: Asked, trouble: Rule, words: str
) -> None:
    await asked.simulator.add_fault(trouble)
    await asked.tell_sent(await asked.create())
    part = await asked.part_when("the delivery once Twilio answers", state="delivered")
    assert part["asked"] == 1
    told = [line for line in asked.output.splitlines() if "asking put off" in line]
    assert told
    assert all(words in line for line in told)


async def test_credentials_that_twilio_refuses_are_named(asked: Asked) -> None:
    await asked.tell_sent(await asked.create())
    await asked.simulator.change_tokens(TokenChange(next="another-token-of-twilio", promote=True))
    await wait_until(lambda: "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN" in asked.output, 20.0)
    assert await asked.stack[STATUS].is_ready()


async def test_without_an_account_the_service_starts_and_says_that_nobody_is_asked(
    tmp_path: Path, anyio_backend: str
) -> None:
    async with running_stack(tmp_path, (BROKER, DECLARE)) as stack:
        unset = {name: "" for name in stack.environment if name.startswith("TWILIO_")}
        await stack.prepare(STATUS, STATUS, unset).start()
        told = [line for line in stack[STATUS].output.splitlines() if "TWILIO_ACCOUNT_SID is not set" in line]
        assert len(told) == 1
