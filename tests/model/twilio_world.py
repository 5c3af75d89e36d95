"""A Twilio that takes a text or refuses it, and whose answers and callbacks may never come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from model.ports import Port
from parley_common.channels import Channel
from parley_egress.listing import Log, Logged, NoLog
from parley_egress.outcome import Created, InDoubt, Outcome, refused, unreachable
from parley_egress.sending import POST_WITHIN_S
from parley_egress.twilio_api import Text


@dataclass(eq=False)
class Creation:
    """A message at Twilio. ``after_s``: how long after its attempt was stored it was made."""

    sid: str
    text: Text
    at: datetime
    after_s: float
    reported: bool = False


@dataclass
class Twilio:
    """``age_s``: how old a process's newest attempt at a part is. ``readable``: whether its log ever is."""

    now: Callable[[], datetime]
    age_s: Callable[[str, str], float]
    readable: bool = True
    created: list[Creation] = field(default_factory=list)

    def create(self, process: str, text: Text) -> Created:
        """Takes a text."""
        sid = f"SM{len(self.created) + 1:032x}"
        creation = Creation(sid=sid, text=text, at=self.now(), after_s=self.age_s(process, text.part_id))
        self.created.append(creation)
        return Created(sid=sid, status="queued")

    def log_of(self, contact: str) -> Log | NoLog:
        """What was sent to somebody, newest first."""
        if not self.readable:
            return NoLog(reason="HTTP 404", for_good=True)
        rows = [
            Logged(
                sid=one.sid,
                status="sent",
                direction="outbound-api",
                sender=one.text.sender,
                body=one.text.body,
                created_at=one.at.replace(microsecond=0),
            )
            for one in self.created
            if one.text.contact == contact
        ]
        return Log(messages=tuple(reversed(rows)))


class Api:
    """What one process reaches Twilio by."""

    def __init__(self, port: Port, twilio: Twilio) -> None:
        self._port = port
        self._twilio = twilio

    async def send(self, _channel: Channel, text: Text) -> Outcome:
        """The POST and what can come of it. It starts soon after its attempt or not at all."""
        age_s = self._twilio.age_s(self._port.name, text.part_id)
        assert age_s <= POST_WITHIN_S, f"a POST {age_s} s after its attempt"

        def create_and_lose() -> Outcome:
            self._twilio.create(self._port.name, text)
            return InDoubt(reason="ServerTimeoutError")

        ways: dict[str, Callable[[], Outcome]] = {
            "ok": lambda: self._twilio.create(self._port.name, text),
            "created, the answer is lost": create_and_lose,
            "nothing created, 503": lambda: refused(503, None),
            "too much at once": lambda: refused(429, 20429),
            "no such number": lambda: refused(400, 21211),
            "no connection": lambda: unreachable("ClientConnectorError"),
        }
        outcome: Outcome = await self._port.call(f"POST {text.part_id[:4]}", ways)
        return outcome

    async def read_log(self, _channel: Channel, contact: str, _since: datetime) -> Log | NoLog:
        """The log, which may not be had at the moment."""
        ways: dict[str, Callable[[], Log | NoLog]] = {
            "ok": lambda: self._twilio.log_of(contact),
            "failed": lambda: NoLog(reason="HTTP 503", for_good=False),
        }
        log: Log | NoLog = await self._port.call("read log", ways)
        return log
