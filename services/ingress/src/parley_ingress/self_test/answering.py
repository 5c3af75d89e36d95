"""Follows the text in the status API: stored, answered, accepted by Twilio, delivered, and all of it once."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from parley_ingress.self_test.asking import Answer, Asking, Deadline, Failed, Unreachable
from parley_ingress.self_test.settings import Settings
from parley_ingress.self_test.verdicts import (
    Conversation,
    Message,
    further_turns,
    has_arrived,
    is_accepted,
    replies_to,
    why_broken,
    why_no_answer,
)

_ARRIVES_WITHIN_S = 15.0

T = TypeVar("T")


class Answering:
    """Looks again and again, until it is so or the deadline is over."""

    def __init__(self, asking: Asking, settings: Settings, deadline: Deadline) -> None:
        self._asking = asking
        self._url = settings.urls["status"]
        self._headers = {"Authorization": f"Bearer {settings.api_key}"}
        self._deadline = deadline
        self._trouble = ""

    async def open_api(self) -> str:
        """Sees that the status API takes the key."""
        while await self._get("/v1/conversations?limit=1", Conversations) is None:
            await self._pause("the status API does not answer")
        return "the status API takes the key"

    async def turn_of(self, sid: str) -> Message:
        """The text, once a turn has taken it."""
        stuck = f"status does not show the text {sid}: see in its log whether it reads the streams"
        while True:
            text = await self._get(f"/v1/messages/{sid}", Message)
            if text is not None and text.turn is not None:
                return text
            if text is not None:
                stuck = (
                    f"the agent has not answered the text {sid}: see its log, and that its model or bot answers "
                    "in less than PARLEY_SELF_TEST_TIMEOUT_S"
                )
            await self._pause(stuck)

    async def replies(self, text: Message) -> tuple[Message, ...]:
        """What was answered to the text."""
        replies = replies_to(text, await self._conversation(text))
        if (why := why_no_answer(text, replies)) is not None:
            raise Failed(why)
        return replies

    async def accepted(self, reply: Message) -> None:
        """Returns once Twilio has taken all of the answer."""
        while True:
            found = await self._get(f"/v1/messages/{reply.id}", Message) or reply
            if (why := why_broken(found)) is not None:
                raise Failed(f"{why}: see what Twilio's code means, and egress's log")
            if is_accepted(found):
                return
            await self._pause(
                f"egress has not sent the answer, which is {found.state}: see its log, and parley switches for "
                "whether sending is paused"
            )

    async def arrived(self, reply: Message) -> bool:
        """Whether it is delivered, for which it waits some seconds; a phone may be switched off."""
        patience = Deadline.after(_ARRIVES_WITHIN_S)
        while True:
            found = await self._get(f"/v1/messages/{reply.id}", Message) or reply
            if (why := why_broken(found)) is not None:
                raise Failed(f"{why}: see what Twilio's code means")
            if has_arrived(found):
                return True
            if self._deadline.is_over or not await patience.pause():
                return False

    async def once(self, text: Message) -> str:
        """Sees that the repeated webhook made no second turn."""
        if further := further_turns(text, await self._conversation(text)):
            raise Failed(
                f"the repeated webhook was answered again, in {further + 1} turns: see that PARLEY_HASH_KEY is "
                "the same everywhere and that the stream was not made anew"
            )
        return "the repeated webhook made no second turn"

    async def _conversation(self, text: Message) -> tuple[Message, ...]:
        while True:
            found = await self._get(f"/v1/conversations/{text.conversation}", Conversation)
            if found is not None:
                return found.messages
            await self._pause("the status API does not show the conversation")

    async def _get(self, path: str, kind: type[T]) -> T | None:
        """What is there, None where nothing is yet or the API is in trouble."""
        self._trouble = ""
        try:
            answer = await self._asking.get(self._url + path, self._headers)
        except Unreachable as error:
            self._trouble = f"it does not answer at {self._url}: {error}"
            return None
        if answer.status == 200:
            return _decode(answer, kind)
        if answer.status == 401:
            raise Failed(
                "status refuses PARLEY_API_KEY: it was started with another; restart it after the key was changed"
            )
        if answer.status != 404:
            self._trouble = f"it answers {answer.status}: {answer.said}"
        return None

    async def _pause(self, what: str) -> None:
        if not await self._deadline.pause():
            trouble = f"; the status API: {self._trouble}" if self._trouble else ""
            raise Failed(f"{what} (waited {self._deadline.total_s:g} s{trouble})")


class Conversations(msgspec.Struct, frozen=True):
    """That it is a list is all that is asked."""

    conversations: tuple[msgspec.Raw, ...]


def _decode(answer: Answer, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.DecodeError:
        raise Failed(
            "what answers at PARLEY_SELF_TEST_STATUS_URL is not Parley's status API: see where its Service leads"
        ) from None
