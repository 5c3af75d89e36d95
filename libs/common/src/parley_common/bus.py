"""The broker as Parley uses it: wait for it, publish once, append to a chain, read from the stream's leader.

All that decides is read through ``STREAM.MSG.GET``, which the leader answers; direct gets and ``kv.get`` may be
stale and are not offered here. This module knows NATS and no rule of Parley.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from nats.aio.client import Client
from nats.errors import AuthorizationError, MaxPayloadError
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import PubAck, RawStreamMsg
from nats.js.errors import APIError, NotFoundError

from parley_common import events, topology, tracing
from parley_common.broker import Broker
from parley_common.settings import SettingsError

_NO_MESSAGE_FOUND = 10037
WRONG_LAST_SEQUENCE = 10071
WRITE_UNDER_WAY = 10164
"""What a replicated stream says to the loser of a race until the winner's write is applied."""

_EVENT_ID = "Parley-Event-Id"
_DEDUPE_ID = "Nats-Msg-Id"
_RETRY_S = 0.2
_RACE_S = 0.02
_API_TIMEOUT_S = 5.0
_CLOSE_S = 2.0

_NOT_LET_IN = ("authorization violation", "authentication expired", "authentication revoked", "account expired")
_NOT_PERMITTED = "permissions violation"
_MAY_NOT_LISTEN = "permissions violation for subscription"

log = structlog.get_logger(__name__)

BROKER_TROUBLE = (NatsError, TimeoutError, OSError)
"""What the client raises while the broker is gone, slow or electing a leader."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A message in a stream. ``time`` is the broker's clock when it was stored."""

    seq: int
    subject: str
    headers: Mapping[str, str]
    data: bytes
    time: datetime

    @property
    def dedupe_id(self) -> str | None:
        """The id under which a repeat of it stores nothing, None where it was published without."""
        return self.headers.get(_DEDUPE_ID)

    def event(self) -> events.AnyEvent:
        """The event it holds; raises ``msgspec.DecodeError``."""
        return events.decode(self.data)


class Superseded(Exception):  # noqa: N818 - a state of the chain, not a fault
    """The chain has grown since it was read; read it again and decide anew."""


class UnusableFileError(OSError):
    """A file that says who we are, or one of TLS, is none now. An ``OSError``, as nats-py tries again after it."""


class _Client(Client):
    """nats-py's own, but that it reads the files of who we are and of TLS at each connection."""

    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self._ours = broker
        self._jwt = b""

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """How TLS is spoken."""
        return _now(self._ours.tls) or super().ssl_context

    def sign(self, nonce: str) -> bytes:
        """Reads who we are and signs what the broker asks to; nats-py wants that first, then the rest."""
        user = _now(self._ours.file_user)
        assert user is not None
        self._jwt, self._public_nkey = user.jwt or b"", user.public
        return user.sign(nonce)

    def jwt(self) -> bytes:
        """The JWT of who has just signed."""
        return self._jwt


T = TypeVar("T")


def _now(read: Callable[[], T]) -> T:
    try:
        return read()
    except SettingsError as error:
        raise UnusableFileError(str(error)) from None


_PATIENCE: dict[str, Any] = {
    "max_reconnect_attempts": -1,
    "reconnect_time_wait": 0.25,
    "connect_timeout": 2,
    "ping_interval": 5,
    "max_outstanding_pings": 2,
}
"""Endless reconnects, soon after one another."""


class Link:
    """A connection to NATS that waits for the broker for as long as it takes, and says why it is not let in.

    ``lost`` is called where the broker ends it for good, as it does when it no longer knows the user: the client
    never comes back from that. ``refused`` is a sentence with the fix, None where it lets us in or is silent.
    """

    def __init__(self, broker: Broker, name: str, *, lost: Callable[[], None] | None = None) -> None:
        self.client = _Client(broker)
        self.refused: str | None = None
        self._broker = broker
        self._name = name
        self._lost = lost
        self._told: str | None = None
        self._forbidden: str | None = None
        self._ending = False

    async def connect(self) -> None:
        """Connects, waiting for a broker that is not there yet."""
        broker = self._broker
        await self.client.connect(
            servers=[server.strip() for server in broker.url.split(",")],
            name=self._name,
            user=broker.user,
            password=broker.password,
            inbox_prefix=broker.inbox_prefix,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_reconnect,
            closed_cb=self._on_closed,
            **_PATIENCE,
            **self._callbacks(),
        )
        self._let_in()

    def end(self) -> None:
        """Says that we close it ourselves, so that it is not lost."""
        self._ending = True

    @property
    def deaf(self) -> str | None:
        """Why the broker lets us hear nothing or not all, as a sentence with the fix; None as in ``refused``."""
        return self.refused or self._forbidden

    @property
    def problem(self) -> str | None:
        """Why nothing can be heard through it now, None where all can."""
        away = None if self.client.is_connected else f"{self._name} is not connected to the broker"
        return self.deaf or away

    def _callbacks(self) -> dict[str, Any]:
        if self._broker.creds is not None:
            return {"signature_cb": self.client.sign, "user_jwt_cb": self.client.jwt}
        return {} if self._broker.nkey is None else {"signature_cb": self.client.sign}

    def _let_in(self) -> None:
        self.refused = self._told = None

    async def _on_error(self, error: Exception) -> None:
        sentence = refusal(self._broker, error)
        if sentence is not None and sentence != self._told:
            log.error(sentence)
        elif _NOT_PERMITTED in str(error).lower():
            log.error("the broker does not permit a subject to this user", error=str(error))
        else:
            log.info("broker connection", error=type(error).__name__)
        if _MAY_NOT_LISTEN in str(error).lower():
            self._forbidden = (
                f"the broker at {self._broker.shown} does not permit a subject to {self._broker.who} ({error}): "
                "permit it there, or set NATS_INBOX_PREFIX to what it may hear"
            )
        self._told = sentence or self._told
        if sentence is not None or isinstance(error, ConnectionRefusedError):
            self.refused = sentence  # nobody who is not there refuses anybody

    async def _on_disconnect(self) -> None:
        self._forbidden = None

    async def _on_reconnect(self) -> None:
        self._let_in()
        log.info("broker reconnected")

    async def _on_closed(self) -> None:
        if self._ending:
            return
        error = self.client.last_error
        self.refused = refusal(self._broker, error) or "the broker has ended the connection for good"
        log.error(self.refused, error=str(error))
        if self._lost is not None:
            self._lost()


class Bus:
    """A connection to NATS that waits for the broker for as long as it takes. ``lost``: see ``Link``."""

    def __init__(self, broker: Broker, *, name: str, lost: Callable[[], None] | None = None) -> None:
        self._link = Link(broker, name, lost=lost)
        self._begun = False
        self.nc: Client = self._link.client
        self.js: JetStreamContext = self.nc.jetstream(timeout=_API_TIMEOUT_S)

    async def connect(self) -> None:
        """Connects, waiting for a broker that is not there yet."""
        self._begun = True
        await self._link.connect()

    @property
    def refused(self) -> str | None:
        """Why the broker does not let us in, as a sentence with the fix; None where it does, or is silent."""
        return self._link.refused

    async def close(self) -> None:
        """Flushes what is pending where that is possible, and closes."""
        self._link.end()
        if not self._begun:
            return  # the client cannot close what was never opened
        try:
            if self.nc.is_connected:
                await self.nc.flush(timeout=2)
        except BROKER_TROUBLE as error:
            log.info("closing without a flush, the broker is gone", error=type(error).__name__)
        with contextlib.suppress(RuntimeError, *BROKER_TROUBLE):
            # It writes what is pending even into a connection that is lost, to which uvloop says RuntimeError, and
            # waits for the end of one whose TLS was refused, which never comes.
            async with asyncio.timeout(_CLOSE_S):
                await self.nc.close()

    async def publish(
        self, subject: str, event: events.Event, *, dedupe: bool = False, timeout_s: float = _API_TIMEOUT_S
    ) -> int:
        """Stores the event, returns its sequence. ``dedupe`` makes a repeated ``event.id`` store nothing."""
        headers = _headers(event)
        if dedupe:
            headers[_DEDUPE_ID] = event.id
        ack = await self._put(subject, event, headers, timeout_s)
        return ack.seq

    async def append(self, subject: str, event: events.Event, *, after: int, chain: str) -> int:
        """Adds the event to ``chain`` right after sequence ``after`` (0: as its first), returns its sequence.

        Waits while the broker is gone. A write whose ack was lost is recognised by the event's id. Raises
        ``Superseded`` where the chain has another end, ``MaxPayloadError`` where the event is too large.
        """
        headers = _headers(event) | {
            "Nats-Expected-Last-Subject-Sequence": str(after),
            "Nats-Expected-Last-Subject-Sequence-Subject": chain,
        }
        while True:
            try:
                return (await self._put(subject, event, headers, _API_TIMEOUT_S)).seq
            except MaxPayloadError:
                raise
            except APIError as error:
                if error.err_code == WRONG_LAST_SEQUENCE:
                    return await self._own_or_superseded(event, chain)
                if error.err_code == WRITE_UNDER_WAY:
                    await asyncio.sleep(_RACE_S)
                    continue
                log.warning("append refused, trying again", subject=subject, error=str(error))
            except BROKER_TROUBLE as error:
                log.info("append waits for the broker", error=type(error).__name__)
            await asyncio.sleep(_RETRY_S)

    async def count(self, subject: str, by: int) -> int:
        """Adds to a counter and returns its new value, the same for all replicas. Raises ``BROKER_TROUBLE``."""
        headers = {"Nats-Incr": f"{by:+d}"}
        ack = await self.js.publish(subject, b"", headers=headers, timeout=_API_TIMEOUT_S)
        return int(ack.val or 0)

    async def last(self, subject: str) -> Stored | None:
        """The newest message on the subject (wildcards allowed), read from the leader."""
        return await self._get(subject, seq=None, following=False)

    async def next(self, subject: str, *, seq: int) -> Stored | None:
        """The first message on the subject at or after ``seq``, read from the leader."""
        return await self._get(subject, seq=seq, following=True)

    async def raw(
        self, stream: str, subject: str, *, seq: int | None = None, following: bool = False
    ) -> RawStreamMsg | None:
        """The newest message on a stream's subject, or the first at or after ``seq``; None where there is none."""
        try:
            return await self.js.get_msg(stream, seq=seq, subject=subject, next=following)
        except NotFoundError as error:
            if error.err_code == _NO_MESSAGE_FOUND:
                return None
            raise  # it is the stream that was not found

    async def stream_answers(self, stream: str, *, timeout_s: float) -> None:
        """Returns if the stream's leader answers in time, raises one of ``BROKER_TROUBLE`` otherwise."""
        async with asyncio.timeout(timeout_s):
            await self.js.stream_info(stream)

    async def _get(self, subject: str, *, seq: int | None, following: bool) -> Stored | None:
        raw = await self.raw(topology.stream_of(subject), subject, seq=seq, following=following)
        if raw is None:
            return None
        return Stored(
            seq=raw.seq or 0,
            subject=raw.subject or "",
            headers=raw.headers or {},
            data=raw.data or b"",
            time=raw.time or datetime.fromtimestamp(0, UTC),
        )

    async def _own_or_superseded(self, event: events.Event, chain: str) -> int:
        tail = await self.last(chain)
        if tail is not None and tail.headers.get(_EVENT_ID) == event.id:
            return tail.seq
        raise Superseded(f"{chain} no longer ends where it was read")

    async def _put(self, subject: str, event: events.Event, headers: dict[str, str], timeout_s: float) -> PubAck:
        tracing.inject(headers)
        return await self.js.publish(subject, events.encode(event), headers=headers, timeout=timeout_s)


def refusal(broker: Broker, error: Exception | None) -> str | None:
    """What to tell of an error that trying again does not mend, None for any other."""
    if isinstance(error, UnusableFileError):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of the broker at {broker.shown} is not accepted ({error.verify_message}): "
            "NATS_CA must name a file with the authority that signed it"
        )
    if isinstance(error, ssl.SSLError):
        return f"the broker at {broker.shown} and NATS_CA, NATS_CERT or NATS_KEY do not fit ({error})"
    if isinstance(error, AuthorizationError) or any(word in str(error).lower() for word in _NOT_LET_IN):
        return f"the broker at {broker.shown} refuses {broker.who}: {broker.mend}"
    return None


def _headers(event: events.Event) -> dict[str, str]:
    return {"content-type": "application/json", _EVENT_ID: event.id}
