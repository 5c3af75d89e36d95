"""Egress as a whole, in this process or as one of its own, and how its rate is read off the requests it made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.running import Running
from harness.stack import Stack
from integration.egress.twilio_stub import Post, TwilioStub
from integration.egress.workbench import ACCOUNT, HASH_KEY, NUMBER, SECRET_KEY, channel, send_settings
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.channels import Channels
from parley_common.domain.segments import count_segments
from parley_common.shared_settings import Common
from parley_common.topology import Limits
from parley_egress.settings import SendSettings, Settings
from parley_egress.work import EgressWork


async def start_egress(
    nats_url: str, stub: TwilioStub, *, rate_mps: float = 1_000.0, sending: SendSettings | None = None
) -> EgressWork:
    """A started egress in this process."""
    common = Common(broker=Broker(nats_url), hash_key=HASH_KEY, host="127.0.0.1", readable_logs=True, grace_s=5.0)
    channels = Channels((channel(stub.url, rate_mps=rate_mps),))
    settings = Settings(
        port=0,
        channels=channels,
        limits=Limits(),
        sending=sending or send_settings(),
        secret_keys=(SECRET_KEY,),
    )
    work = EgressWork(common, settings)
    await work.start()
    return work


@asynccontextmanager
async def egress(
    nats_url: str, stub: TwilioStub, *, rate_mps: float = 1_000.0, sending: SendSettings | None = None
) -> AsyncIterator[EgressWork]:
    """One that is stopped at the end."""
    work = await start_egress(nats_url, stub, rate_mps=rate_mps, sending=sending)
    try:
        yield work
    finally:
        await work.stop(6.0)


def egress_process(stack: Stack, name: str, stub: TwilioStub, *, rate_mps: float, settle_s: float) -> Running:
    """One as a process of its own, not started yet."""
    settings = {
        "PARLEY_HASH_KEY": HASH_KEY.decode(),
        "PARLEY_SECRET_KEY": SECRET_KEY.decode(),
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": "token",
        "TWILIO_PHONE_NUMBER": NUMBER,
        "TWILIO_API_BASE_URL": stub.url,
        "PARLEY_PUBLIC_URL": "https://sms.example.com",
        "PARLEY_SENDER_MPS": str(rate_mps),
        "PARLEY_SETTLE_S": str(settle_s),
        "PARLEY_TWILIO_TIMEOUT_S": "2",
    }
    return stack.prepare(name, "egress", settings)


async def all_bells_answered(bus: Bus) -> bool:
    """Whether no doorbell of a turn waits or is held."""
    info = await bus.js.consumer_info(topology.CONVERSATIONS, topology.EGRESS_BELLS)
    return bool(info.num_pending == 0 and info.num_ack_pending == 0)


async def bells_are_asked_for(bus: Bus) -> bool:
    """Whether somebody waits for the next doorbell."""
    info = await bus.js.consumer_info(topology.CONVERSATIONS, topology.EGRESS_BELLS)
    return bool(info.num_waiting)


def most_segments_in_a_second(posts: list[Post]) -> int:
    """The most segments in any second, by when the requests arrived."""
    sizes = [(post.at_s, count_segments(post.body).segments) for post in posts]
    return max(sum(n for at_s, n in sizes if start_s <= at_s < start_s + 1.0) for start_s, _ in sizes)
