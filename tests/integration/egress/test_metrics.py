"""What egress tells Prometheus of attempts, failures, doubts and waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from harness.stack import Stack
from harness.waiting import wait_until
from integration.egress.twilio_stub import TwilioStub, cut_off, refuse, say
from integration.egress.workbench import THE_CLIENTS_WARNINGS, Conversation, send_settings, working

pytestmark = [pytest.mark.anyio, *THE_CLIENTS_WARNINGS]

NAMES = (
    "parley_parts_total",
    "parley_part_failures_total",
    "parley_send_seconds_count",
    "parley_rate_wait_seconds_count",
    "parley_reply_seconds_count",
    "parley_parts_in_doubt",
)


def told() -> dict[str, float]:
    """All samples of these names."""
    return dict(_samples())


def _samples() -> Iterator[tuple[str, float]]:
    for family in REGISTRY.collect():
        for sample in family.samples:
            if sample.name in NAMES:
                yield " ".join((sample.name.removeprefix("parley_"), *sample.labels.values())), sample.value


def more(before: dict[str, float]) -> dict[str, float]:
    """What was gained since."""
    return {
        name: value - before.get(name, 0.0) for name, value in told().items() if value != before.get(name, 0.0)
    }


async def test_a_reply_of_two_texts_is_two_attempts_and_one_reply(broker: Stack, twilio: TwilioStub) -> None:
    before = told()
    async with working(broker.nats_url, twilio) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("one", "two")
        await worker.drain(conversation)
    assert more(before) == {
        "parts_total Created": 2,
        "send_seconds_count Created": 2,
        "rate_wait_seconds_count reply": 2,
        "reply_seconds_count": 1,
    }


async def test_a_notification_is_no_reply(broker: Stack, twilio: TwilioStub) -> None:
    before = told()
    async with working(broker.nats_url, twilio) as worker:
        conversation = Conversation(worker.bus)
        await conversation.notify("one")
        await worker.drain_notifications(conversation)
    assert more(before) == {
        "parts_total Created": 1,
        "send_seconds_count Created": 1,
        "rate_wait_seconds_count notification": 1,
    }


async def test_a_refusal_of_twilio_is_counted_by_its_code(broker: Stack, twilio: TwilioStub) -> None:
    before = told()
    async with working(broker.nats_url, twilio) as worker:
        conversation = Conversation(worker.bus)
        twilio.script.append(refuse(400, 21211))
        await conversation.reply("one")
        await worker.drain(conversation)
    assert more(before) == {
        "parts_total NotSent": 1,
        "part_failures_total 21211": 1,
        "send_seconds_count NotSent": 1,
        "rate_wait_seconds_count reply": 1,
    }


async def test_what_has_expired_is_counted_by_that_and_is_no_attempt(broker: Stack, twilio: TwilioStub) -> None:
    before = told()
    async with working(broker.nats_url, twilio) as worker:
        conversation = Conversation(worker.bus)
        await conversation.reply("one", expires_in_s=-1.0)
        await worker.drain(conversation)
    assert more(before) == {"part_failures_total expired": 1}


@pytest.mark.parametrize(
    ("answer", "code"),
    [(cut_off(creates=True), "no_answer"), (say(503, "", creates=True), "503")],
    ids=["no answer", "503"],
)
async def test_a_part_in_doubt_is_shown_until_it_is_settled(
    answer: object, code: str, broker: Stack, twilio: TwilioStub
) -> None:
    before = told()
    async with working(broker.nats_url, twilio, send_settings(settle_s=60.0)) as worker:
        conversation = Conversation(worker.bus)
        twilio.script.append(answer)  # type: ignore[arg-type]
        await conversation.reply("one")
        draining = asyncio.create_task(worker.drain(conversation))
        await wait_until(lambda: more(before).get("parts_in_doubt") == 1, what="the doubt being shown")
        await conversation.report(twilio.posts[0].part_id)
        await draining
    assert more(before) == {
        "parts_total InDoubt": 1,
        f"part_failures_total {code}": 1,
        "send_seconds_count InDoubt": 1,
        "rate_wait_seconds_count reply": 1,
    }
