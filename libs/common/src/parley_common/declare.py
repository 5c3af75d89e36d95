"""The declare step: makes JetStream hold what ``topology`` says. Idempotent; run it before the services.

``python -m parley_common.declare`` runs it as a command. Services do not declare streams, they wait for them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

import structlog
from nats.js import JetStreamContext
from nats.js.api import StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import BROKER_TROUBLE, Bus
from parley_common.hash_key import check_hash_key, keep_hash_key
from parley_common.logs import start_logging
from parley_common.settings import SettingsError
from parley_common.shared_settings import read_common, read_limits

_RETRY_S = 0.25
_API_TIMEOUT_S = 2.0
NAME_IN_USE = 10058

log = structlog.get_logger(__name__)


async def declare(js: JetStreamContext, limits: topology.Limits) -> None:
    """Creates or updates every stream and consumer."""
    for config in topology.streams(limits):
        await declare_stream(js, config)
    for consumer in topology.CONSUMERS:
        await js.add_consumer(consumer.stream, consumer.config())


async def declare_stream(js: JetStreamContext, config: StreamConfig) -> None:
    """Creates the stream, or brings an existing one to this configuration."""
    try:
        await js.add_stream(config)
    except APIError as error:
        if error.err_code != NAME_IN_USE:
            raise
        await js.update_stream(config)


async def declare_again(js: JetStreamContext, durables: frozenset[str]) -> None:
    """Creates those of these consumers that have vanished; their bells ring anew, one a conversation.

    A lasting stream that has vanished is not made anew: it would come back without its texts and without those
    who said STOP. ``/readyz`` tells of it, and an operator restores it or runs the declare step.
    """
    for consumer in topology.CONSUMERS:
        if consumer.durable not in durables:
            continue
        try:
            await js.consumer_info(consumer.stream, consumer.durable, timeout=_API_TIMEOUT_S)
        except NotFoundError:
            await _create(js, consumer)
        except BROKER_TROUBLE:
            return


async def _create(js: JetStreamContext, consumer: topology.Consumer) -> None:
    try:
        await js.add_consumer(consumer.stream, consumer.config())
    except BROKER_TROUBLE as error:
        log.warning("consumer not declared again", consumer=consumer.durable, error=type(error).__name__)
    else:
        log.warning("consumer had vanished and is declared again", consumer=consumer.durable)


async def wait_declared(js: JetStreamContext, durables: frozenset[str]) -> None:
    """Returns once all lasting streams and these consumers exist; waits for the broker and the declare step."""
    while (missing := await _missing(js, durables)) is not None:
        log.info("waiting for the declare step", missing=missing)
        await asyncio.sleep(_RETRY_S)


async def _missing(js: JetStreamContext, durables: frozenset[str]) -> str | None:
    """What is not there yet, None where all is."""
    try:
        for config in topology.streams(topology.Limits()):
            if (
                config.storage is not StorageType.MEMORY
            ):  # a restarted broker forgets those; whoever needs one declares it
                await js.stream_info(str(config.name))
        for consumer in topology.CONSUMERS:
            if consumer.durable in durables:
                await js.consumer_info(consumer.stream, consumer.durable, timeout=_API_TIMEOUT_S)
    except NotFoundError as error:
        return error.description or "a stream or consumer"
    except BROKER_TROUBLE:
        return "the broker"
    return None


async def declare_all(broker: Broker, limits: topology.Limits, hash_key: bytes) -> None:
    """The whole step, however long the broker takes to be there. Raises ``SettingsError`` for another hash key.

    The key is looked at before anything is changed: another may be meant for another broker.
    """
    bus = Bus(broker, name="parley-declare")
    await bus.connect()
    while True:
        try:
            with contextlib.suppress(NotFoundError):  # nothing was ever declared there
                await check_hash_key(bus, hash_key)
            await declare(bus.js, limits)
            await keep_hash_key(bus, hash_key)
            break
        except (NotFoundError, *BROKER_TROUBLE) as error:
            if isinstance(error, APIError) and error.code not in (404, 503):
                raise
            await asyncio.sleep(_RETRY_S)
    await bus.close()


def main() -> None:
    """The command."""
    argparse.ArgumentParser(prog="python -m parley_common.declare", description=__doc__).parse_args()
    try:
        common, limits = read_common(), read_limits()
    except SettingsError as error:
        sys.exit(str(error))
    start_logging("declare", readable=common.readable_logs)
    try:
        asyncio.run(declare_all(common.broker, limits, common.hash_key))
    except SettingsError as error:
        sys.exit(str(error))
    except APIError as error:
        sys.exit(f"JetStream refused the declaration: {error.description}")
    log.info("declared", streams=len(topology.streams(limits)), consumers=len(topology.CONSUMERS))


if __name__ == "__main__":
    main()
