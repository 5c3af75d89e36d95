"""Asks Twilio for the state of one message, and says what its answer, or the lack of one, is worth."""

from __future__ import annotations

from twilio.base.exceptions import TwilioException

from parley_common import tracing
from parley_common.channels import Channel
from parley_status.asking import Answer, Gone, Told, Trouble, Unclear
from parley_twilio.rest import BROKEN_OFF, UNREADABLE, TwilioRest, status_of

_OF_ALL = {
    401: "Twilio refuses the credentials: check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
    403: "Twilio refuses the account: see its state in the Console",
    429: "Twilio has had too many requests",
}


class TwilioState:
    """Twilio's log, one message at a time."""

    def __init__(self, *, timeout_s: float) -> None:
        self._rest = TwilioRest(timeout_s=timeout_s)

    async def open(self) -> None:
        """Makes the pool of connections."""
        await self._rest.open()

    async def close(self) -> None:
        """Closes it."""
        await self._rest.close()

    async def ask(self, channel: Channel, sid: str) -> Answer:
        """Where the message stands now; every way in which that can end is an ``Answer``."""
        try:
            message = await self._rest.client(channel).messages(sid).fetch_async()
        except TwilioException as error:
            tracing.fail(tracing.current(), str(status_of(error)))
            return _refused(status_of(error))
        except BROKEN_OFF as error:
            tracing.fail(tracing.current(), type(error).__name__)
            return Trouble(f"Twilio does not answer: {type(error).__name__}")
        except UNREADABLE as error:
            tracing.fail(tracing.current(), type(error).__name__)
            return Unclear(f"unreadable answer: {type(error).__name__}")
        if not message.status:
            return Unclear("an answer without a status")
        return Told(str(message.status), message.error_code or None)


def _refused(status: int) -> Answer:
    if status == 404:
        return Gone()
    if status in _OF_ALL:
        return Trouble(_OF_ALL[status])
    return Trouble(f"Twilio answers HTTP {status}") if status >= 500 else Unclear(f"HTTP {status}")
