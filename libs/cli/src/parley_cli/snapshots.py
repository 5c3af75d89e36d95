"""Streams as JetStream's snapshot API gives and takes them, for which the client has no word.

A snapshot holds the messages with their sequences, times and headers, and the stream's consumers as they stood.
The server sends it in chunks to a subject of ours and waits for acks once a window of them is on the way; a
message without data ends it. Restoring is the same the other way round, each chunk a request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError

from parley_cli.words import Refused
from parley_common import topology
from parley_common.bus import Bus
from parley_common.declare import declare

_API = "$JS.API.STREAM"
_API_TIMEOUT_S = 10.0
_CHUNK_TIMEOUT_S = 10.0
_FINISH_TIMEOUT_S = 120.0
_CHUNK = 128 * 1024
_WINDOW = 4 * 1024 * 1024
_CHUNK_UP = 64 * 1024
_END_IS_GOOD = ("", "204")


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages a stream holds, their first and last sequence (0: it never held one)."""

    messages: int
    first_seq: int
    last_seq: int


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's configuration and state, in JetStream's own JSON."""

    config: dict[str, Any]
    state: dict[str, Any]

    @property
    def summary(self) -> State:
        """The state as far as it is of use here."""
        return msgspec.convert(self.state, State)


async def stream_state(bus: Bus, stream: str) -> State | None:
    """The stream's state, None where there is no such stream. Raises ``BROKER_TROUBLE``."""
    try:
        info = (await bus.js.stream_info(stream)).state
    except NotFoundError:
        return None
    return State(messages=info.messages, first_seq=info.first_seq, last_seq=info.last_seq)


async def save(bus: Bus, stream: str, write: Callable[[bytes], object]) -> Described:
    """Has the server write a snapshot of the stream; raises ``Refused`` where it does not come whole."""
    inbox = bus.nc.new_inbox()
    chunks = await bus.nc.subscribe(inbox)
    try:
        request = {"deliver_subject": inbox, "chunk_size": _CHUNK, "window_size": _WINDOW, "jsck": True}
        answer = await _ask(bus, f"{_API}.SNAPSHOT.{stream}", request, stream)
        number = 0
        while (chunk := await _next_chunk(chunks.next_msg, stream)).data:
            number += 1
            _check_number(chunk, number, stream)
            write(chunk.data)
            if chunk.reply:
                await bus.nc.publish(chunk.reply, b"")
        status = str((chunk.headers or {}).get("Status", ""))
        if status not in _END_IS_GOOD:
            raise Refused(f"the snapshot of {stream} broke off (status {status}): try again")
    finally:
        await chunks.unsubscribe()
    return Described(config=answer["config"], state=answer["state"])


async def load(bus: Bus, stream: str, described: Described, chunks: Iterator[bytes]) -> State:
    """Makes the stream from a snapshot; raises ``Refused`` where the server does not take it."""
    request = {"config": described.config, "state": described.state}
    subject = (await _ask(bus, f"{_API}.RESTORE.{stream}", request, stream))["deliver_subject"]
    for chunk in chunks:
        refusal = (await bus.nc.request(subject, chunk, timeout=_CHUNK_TIMEOUT_S)).data
        if refusal:
            _read_answer(refusal, stream)
    made = await bus.nc.request(subject, b"", timeout=_FINISH_TIMEOUT_S)
    return msgspec.convert(_read_answer(made.data, stream)["state"], State)


def pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """A file in pieces of the size that ``load`` sends."""
    while piece := read(_CHUNK_UP):
        yield piece


async def remove_empty(bus: Bus, stream: str) -> None:
    """Deletes a stream that holds nothing, if it exists.

    Its subjects are taken from it first and it is looked at again, so that nothing is deleted that came meanwhile.
    """
    try:
        config = (await bus.js.stream_info(stream)).config
        subjects = config.subjects
        config.subjects = [f"restoring.{stream}"]
        await bus.js.update_stream(config)
        state = await stream_state(bus, stream)
        if state is not None and state.messages:
            config.subjects = subjects
            await bus.js.update_stream(config)
            raise Refused(not_empty(stream, state.messages))
        await bus.js.delete_stream(stream)
    except NotFoundError:
        return


def not_empty(stream: str, messages: int) -> str:
    """Why a stream is not restored over."""
    return (
        f"the stream {stream} holds messages already ({messages}), and nothing is restored over them: stop the "
        "services and restore into a broker that starts with an empty data folder"
    )


async def declare_anew(bus: Bus, limits: topology.Limits) -> None:
    """Makes streams and consumers what they are to be; Parley's own consumers start anew."""
    for consumer in topology.CONSUMERS:
        try:
            await bus.js.delete_consumer(consumer.stream, consumer.durable)
        except NotFoundError:
            continue
    try:
        await declare(bus.js, limits)
    except APIError as error:
        raise Refused(
            f"JetStream refused the declaration ({error.description}): mend that, then run "
            "python -m parley_common.declare"
        ) from None


async def _next_chunk(next_msg: Callable[..., Any], stream: str) -> Msg:
    try:
        message: Msg = await next_msg(timeout=_CHUNK_TIMEOUT_S)
    except (TimeoutError, NatsError):
        raise Refused(
            f"the snapshot of {stream} stopped coming: look at the broker's log, then try again"
        ) from None
    return message


def _check_number(chunk: Msg, number: int, stream: str) -> None:
    """The reply subject of each chunk ends with its number; the last has none."""
    if chunk.reply and chunk.reply.rpartition(".")[2] != str(number):
        raise Refused(f"a part of the snapshot of {stream} was lost on the way: try again")


async def _ask(bus: Bus, subject: str, request: dict[str, Any], stream: str) -> dict[str, Any]:
    answer = await bus.nc.request(subject, json.dumps(request).encode(), timeout=_API_TIMEOUT_S)
    return _read_answer(answer.data, stream)


def _read_answer(data: bytes, stream: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(data)
    if error := answer.get("error"):
        raise Refused(
            f"JetStream refused the stream {stream} ({error.get('description')}): mend that and try again"
        )
    return answer
