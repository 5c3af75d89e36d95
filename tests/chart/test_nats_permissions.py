"""What each user of the embedded NATS may not do. That nothing it needs is missing shows in test_nats_path."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chart.nats_attempts import OWN, administration, attempts_of, others_consumers
from chart.nats_release import SERVICES, USERS, Nats, running_nats
from parley_common import topology

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

READS = "$JS.API.STREAM.MSG.GET"
NEW = "$JS.API.CONSUMER.CREATE.CONVERSATIONS.new"

NOT_PERMITTED = {
    "ingress": (
        "conv.c.own.done conv.c.own.ctl conv.c.send conv.c.out conv.c.notify dead.ingress count.media.c.day "
        "$O.MEDIA.C.n $O.MEDIA.M.n lease.sender.s lease.conv.c egress.s.bells"
    ),
    "agent": (
        "conv.c.in conv.c.own.ctl conv.c.send conv.c.out conv.c.out.send conv.c.notify conv.c.notify.send "
        "report.c.p control.backfill.n count.segments.c.day dead.egress lease.sender.s lease.backfill "
        "egress.s.bells"
    ),
    "egress": (
        "conv.c.in conv.c.own.done conv.c.own.begun conv.c.out conv.c.notify report.c.p consent.k "
        "control.backfill.n count.media.c.day $O.MEDIA.C.n $O.MEDIA.M.n dead.agent lease.conv.c lease.backfill"
    ),
    "status": (
        "conv.c.in conv.c.own.done conv.c.own.ctl conv.c.send conv.c.out consent.k control.backfill.n "
        "count.media.c.day count.segments.c.day $O.MEDIA.M.n dead.agent lease.sender.s egress.s.bells"
    ),
    "operator": "conv.c.own.done conv.c.send conv.c.out.send report.c.p consent.k dead.agent $O.MEDIA.M.n lease.c",
    "declare": "conv.c.in conv.c.send consent.k report.c.p control.sending.default control.restored lease.conv.c",
}

READABLE = {
    "ingress": {"CONVERSATIONS", "CONSENT", "CONTROL", "LEASES", "OBJ_MEDIA"},
    "agent": {"CONVERSATIONS", "CONSENT", "CONTROL", "COUNTERS", "DEAD_LETTERS", "LEASES", "OBJ_MEDIA"},
    "egress": {"CONVERSATIONS", "REPORTS", "CONSENT", "CONTROL", "DEAD_LETTERS", "LEASES"},
    "status": {"CONVERSATIONS", "REPORTS", "CONSENT", "CONTROL", "DEAD_LETTERS", "LEASES"},
    "declare": {"CONTROL"},
}


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Nats]:
    async with running_nats(tmp_path_factory.mktemp("nats")) as nats:
        yield nats


@pytest.mark.parametrize("user", USERS)
async def test_nobody_writes_what_another_writes(nats: Nats, user: str) -> None:
    async with attempts_of(nats, user) as attempts:
        assert await attempts.permitted(NOT_PERMITTED[user].split()) == []


@pytest.mark.parametrize("user", SERVICES)
async def test_no_service_changes_deletes_or_empties_a_stream(nats: Nats, user: str) -> None:
    async with attempts_of(nats, user) as attempts:
        assert await attempts.permitted(administration()) == []


async def test_the_declare_step_makes_and_changes_streams_and_takes_none_away(nats: Nats) -> None:
    mine = ("$JS.API.STREAM.CREATE.", "$JS.API.STREAM.UPDATE.", "control.hash-key")
    async with attempts_of(nats, "declare") as attempts:
        assert [one for one in await attempts.permitted(administration()) if not one.startswith(mine)] == []


@pytest.mark.parametrize("user", SERVICES)
async def test_no_service_touches_the_consumers_of_another(nats: Nats, user: str) -> None:
    async with attempts_of(nats, user) as attempts:
        assert await attempts.permitted(others_consumers(user)) == []


@pytest.mark.parametrize("user", sorted(READABLE))
async def test_each_reads_the_streams_it_needs_and_no_other(nats: Nats, user: str) -> None:
    streams = [str(config.name) for config in topology.streams(topology.Limits())]
    async with attempts_of(nats, user) as attempts:
        readable = {stream for stream in streams if await attempts.publish(f"{READS}.{stream}")}
    assert readable == READABLE[user]


async def test_who_sweeps_makes_a_consumer_over_what_it_sweeps_and_over_nothing_else(nats: Nats) -> None:
    swept: dict[str, list[str]] = {
        "ingress": [],
        "agent": ["conv.*.in"],
        "egress": ["conv.*.own.done", "conv.*.out", "conv.*.notify"],
        "status": [],
    }
    filters = [
        "conv.*.in",
        "conv.*.own.done",
        "conv.*.out",
        "conv.*.notify",
        "conv.*.send",
        "conv.>",
        "conv.*.own.>",
    ]
    for user, expected in swept.items():
        async with attempts_of(nats, user) as attempts:
            names = [NEW, *(f"{NEW}.{subject}" for subject in filters)]
            assert await attempts.permitted(names) == [f"{NEW}.{subject}" for subject in expected], user


@pytest.mark.parametrize("user", USERS)
async def test_each_hears_its_own_answers_and_none_of_another(nats: Nats, user: str) -> None:
    async with attempts_of(nats, user) as attempts:
        assert await attempts.hear(f"_INBOX_{user}.>")
        others = [f"_INBOX_{other}.>" for other in USERS if other != user]
        for subject in (*others, "_INBOX.>", "*.>", ">", "conv.>", "conv.*.in", "$JS.API.>", "lease.>", "$SYS.>"):
            assert not await attempts.hear(subject), subject


async def test_requests_of_the_operator_reach_those_who_answer_them_and_nobody_else(nats: Nats) -> None:
    answering = {("ingress", "control-request.backfill"), ("status", "control-request.replay")}
    for user in USERS:
        async with attempts_of(nats, user) as attempts:
            for subject in ("control-request.backfill", "control-request.replay"):
                assert await attempts.hear(subject, queue=user) == ((user, subject) in answering), (user, subject)
                assert not await attempts.hear(subject), "without its queue each replica would answer"


async def test_doorbells_between_replicas_of_egress_are_for_egress(nats: Nats) -> None:
    for user in USERS:
        async with attempts_of(nats, user) as attempts:
            assert await attempts.hear("egress.*.bells") == (user == "egress"), user


def test_the_tables_know_every_consumer_there_is() -> None:
    assert set().union(*OWN.values()) == {consumer.durable for consumer in topology.CONSUMERS}
