"""Twilio's log of what people texted to our numbers, page by page, with the addresses of what they attached."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from twilio.base.exceptions import TwilioException

from parley_common.channels import Channel
from parley_common.events import Media
from parley_ingress.logged import LoggedText, log_trouble
from parley_ingress.translation import MOST_MEDIA
from parley_twilio.rest import BROKEN_OFF, UNREACHABLE, UNREADABLE, TwilioRest, code_of, status_of

_PAGE, _LARGEST_PAGE = 50, 1_000
_SHORT = timedelta(hours=1)
_DAY = timedelta(days=1)
_NOT_FOUND = 404

T = TypeVar("T")


class LogTrouble(Exception):  # noqa: N818 - of Twilio's, not ours
    """The log could not be read now; the message says why."""

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


class TwilioLog:
    """Reads the log for the channels it is asked for. Each request has the time limit ``timeout_s``."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._rest = TwilioRest(timeout_s=timeout_s)

    async def open(self) -> None:
        """Makes the pool of connections; must run inside the event loop."""
        await self._rest.open()

    async def close(self) -> None:
        """Closes the pool."""
        await self._rest.close()

    async def pool_numbers(self, channel: Channel) -> tuple[str, ...]:
        """The numbers in the pool of the channel's Messaging Service; short codes and WhatsApp senders are to be
        listed in the settings. Raises ``LogTrouble``.
        """
        if channel.messaging_service_sid is None:
            return ()
        service = self._rest.client(channel).messaging.v1.services(channel.messaging_service_sid)
        rows = await self._asked(service.phone_numbers.list_async(limit=1_000))
        return tuple(row.phone_number for row in rows)

    async def texts(self, channel: Channel, number: str, since: datetime, until: datetime) -> list[LoggedText]:
        """What people texted to the number from ``since`` to ``until``, both included, oldest first; what has no
        date too. Raises ``LogTrouble``.
        """
        rows = self._newest_first(channel, number, since, until)
        return [text async for text in rows if text.created_at is None or text.created_at <= until][::-1]

    async def media(self, channel: Channel, text: LoggedText) -> tuple[Media, ...]:
        """The attachments, at the addresses that the webhook would have told; none where they were deleted.

        Raises ``LogTrouble``.
        """
        if not text.media:
            return ()
        try:
            rows = await self._asked(
                self._rest.client(channel).messages(text.sid).media.list_async(limit=MOST_MEDIA)
            )
        except LogTrouble as trouble:
            if trouble.status == _NOT_FOUND:
                return ()
            raise
        return tuple(
            Media(url=channel.api_base_url + row.uri.removesuffix(".json"), content_type=row.content_type or "")
            for row in rows
            if row.uri
        )

    async def _newest_first(
        self, channel: Channel, number: str, since: datetime, until: datetime
    ) -> AsyncIterator[LoggedText]:
        """Until one is older than ``since``. The date in the question only spares pages, with a day to spare."""
        wanted: dict[str, Any] = {"to": number, "page_size": _PAGE if until - since < _SHORT else _LARGEST_PAGE}
        if until < datetime.now(UTC) - _DAY:
            wanted["date_sent_before"] = until.astimezone(UTC) + _DAY
        page = await self._asked(self._rest.client(channel).messages.page_async(**wanted))
        while page is not None:
            rows = await self._asked(_rows(page))
            for row in rows:
                text = _logged(row)
                if text.created_at is not None and text.created_at < since:
                    return
                if row.direction == "inbound":
                    yield text
            page = await self._asked(page.next_page_async())

    async def _asked(self, question: Awaitable[T]) -> T:
        """Twilio's answer, every other end of the question as ``LogTrouble``."""
        try:
            return await question
        except TwilioException as error:
            raise LogTrouble(log_trouble(status_of(error), code_of(error)), status_of(error)) from None
        except UNREACHABLE as error:
            raise LogTrouble(f"no connection to Twilio could be made ({type(error).__name__})") from None
        except TimeoutError:
            raise LogTrouble(f"Twilio did not answer within {self._timeout_s:g} s") from None
        except BROKEN_OFF as error:
            raise LogTrouble(f"the connection to Twilio broke ({type(error).__name__})") from None
        except UNREADABLE as error:
            raise LogTrouble(f"Twilio's answer could not be read ({type(error).__name__})") from None


async def _rows(page: Any) -> list[Any]:
    return list(page)


def _logged(row: Any) -> LoggedText:
    return LoggedText(
        sid=row.sid or "",
        account_sid=row.account_sid or "",
        sender=row.from_ or "",
        recipient=row.to or "",
        service_sid=row.messaging_service_sid or "",
        body=row.body or "",
        segments=row.num_segments or "",
        media=_count(row.num_media),
        created_at=row.date_created,
    )


def _count(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() else 0
