"""The broker as an operator's command uses it: settings by name, bounded waits, every trouble one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec

from parley_cli.snapshots import stream_state
from parley_cli.words import Refused
from parley_common import requests
from parley_common.broker import Broker
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.channels import QUICK_START

CONNECT_WITHIN_S = 5.0
ANSWER_WITHIN_S = 10.0

_CHANNELS = (QUICK_START,)

T = TypeVar("T", bound=msgspec.Struct)


@asynccontextmanager
async def connected(broker: Broker, streams: tuple[str, ...] = ()) -> AsyncIterator[Bus]:
    """A bus whose streams are there; raises ``Refused`` where it is not reached in time or one is missing."""
    bus = Bus(broker, name="parley-command")
    try:
        await _connect(bus, broker)
        for stream in streams:
            await _must_exist(bus, stream)
        try:
            yield bus
        except BROKER_TROUBLE as error:
            what = getattr(error, "description", None) or type(error).__name__
            raise Refused(
                f"the broker at {broker.shown} is in trouble ({what}): mend that or try again"
            ) from error
    finally:
        await bus.close()


async def ask(
    bus: Bus, subject: str, request: msgspec.Struct, kind: type[T], *, service: str, within_s: float
) -> T:
    """What a service answers to a request; raises ``Refused`` where none does in time, or in other words."""
    try:
        answer = await bus.nc.request(subject, requests.encode(request), timeout=within_s)
        return requests.decode(answer.data, kind)
    except TimeoutError:
        raise Refused(f"{service} did not answer within {within_s:g} s: look at its log, then try again") from None
    except BROKER_TROUBLE:
        raise Refused(f"no {service} is there to answer: start it, then try again") from None
    except msgspec.MsgspecError:
        raise Refused(f"the answer of {service} cannot be read: run the command of its release") from None


def check_channel(name: str) -> None:
    """Raises ``Refused`` for a channel that is not there: pausing it would pause nothing."""
    if name not in _CHANNELS:
        raise Refused(f"there is no channel {name!r}: name one of {', '.join(_CHANNELS)}, or none for all")


async def _connect(bus: Bus, broker: Broker) -> None:
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await bus.connect()
    except (*BROKER_TROUBLE, ValueError) as error:
        if bus.refused is not None:
            raise Refused(bus.refused) from None
        raise Refused(
            f"no broker answers at {broker.shown} within {CONNECT_WITHIN_S:g} s ({type(error).__name__}): "
            "start it, or set NATS_URL or PARLEY_NATS_PORT to where it is"
        ) from None


async def _must_exist(bus: Bus, stream: str) -> None:
    if await stream_state(bus, stream) is None:
        raise Refused(
            f"the broker has no stream {stream}: restore a backup with parley restore, or, if there never was "
            "one, run python -m parley_common.declare"
        )
