"""Doorbells that reached the wrong process go to the sender's owner, who answers them in its place.

A delivery is answered by its reply subject, so whoever has that subject can ack it. A bell lost on the way rings
again.
"""

from __future__ import annotations

from nats.aio.msg import Msg

from parley_common.bells import OnBell
from parley_common.bus import Bus
from parley_common.doorbells import Bell

_REPLY = "Parley-Bell-Reply"
_SEQ = "Parley-Bell-Seq"
_SUBJECT = "Parley-Bell-Subject"


async def forward(bus: Bus, session: str, subject: str, bell: Bell, body: bytes) -> None:
    """Hands the bell to the process of that session."""
    headers = {_SEQ: str(bell.seq), _SUBJECT: subject}
    if bell.reply:
        headers[_REPLY] = bell.reply
    await bus.nc.publish(_inbox(session), body, headers=headers)


async def listen(bus: Bus, session: str, on_bell: OnBell) -> None:
    """Takes the bells that others hand to this session."""

    async def deliver(message: Msg) -> None:
        headers = message.headers or {}
        bell = Bell(seq=int(headers[_SEQ]), reply=headers.get(_REPLY, ""))
        await on_bell(headers[_SUBJECT], bell, message.data)

    await bus.nc.subscribe(_inbox(session), cb=deliver)


def _inbox(session: str) -> str:
    return f"egress.{session}.bells"
