"""Lists of the 2010 API: newest first, filtered, in pages that stay put while new messages come in.

A page is found again by its PageToken, which names the last message of the page before.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from urllib.parse import urlencode

import msgspec

from parley_simulator.api_errors import ApiError
from parley_simulator.messages import Message
from parley_simulator.rest.shapes import MessageResource, message_resource
from parley_simulator.simulator import Simulator

DEFAULT_PAGE_SIZE = 50
LARGEST_PAGE = 1_000
_DAY_S = 86_400.0
_FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")


class MessageList(msgspec.Struct):
    """A page of the Messages list."""

    messages: list[MessageResource]
    first_page_uri: str
    next_page_uri: str | None
    previous_page_uri: str | None
    page: int
    page_size: int
    start: int
    end: int
    uri: str


def list_messages(simulator: Simulator, query: Mapping[str, str], path: str) -> MessageList:
    """Return one page of the messages the query asks for."""
    size = min(_whole(query, "PageSize", DEFAULT_PAGE_SIZE) or DEFAULT_PAGE_SIZE, LARGEST_PAGE)
    page = _whole(query, "Page", 0)
    found = _find(simulator, query)
    if "PageToken" not in query:
        found = islice(found, page * size, None)
    rows = list(islice(found, size + 1))
    shown = rows[:size]
    account_sid = simulator.account.sid

    def uri(number: int, token: str = "") -> str:
        kept = {name: query[name] for name in _FILTERS if name in query}
        pages = {"PageSize": str(size), "Page": str(number)} | ({"PageToken": token} if token else {})
        return f"{path}?{urlencode(kept | pages)}"

    return MessageList(
        messages=[message_resource(message, account_sid) for message in shown],
        first_page_uri=uri(0),
        next_page_uri=uri(page + 1, f"PA{shown[-1].sequence}") if len(rows) > size else None,
        previous_page_uri=uri(page - 1) if page else None,
        page=page,
        page_size=size,
        start=page * size,
        end=page * size + max(len(shown) - 1, 0),
        uri=uri(page, query.get("PageToken", "")),
    )


def _find(simulator: Simulator, query: Mapping[str, str]) -> Iterator[Message]:
    earliest, latest = _sent_between(query)
    rows = simulator.store.newest_first(
        to=_number(query, "To"), sender=_number(query, "From"), below=_below(query.get("PageToken", ""))
    )
    if earliest is None and latest is None:
        return rows
    return (row for row in rows if _was_sent(row, earliest, latest))


def _was_sent(message: Message, earliest: float | None, latest: float | None) -> bool:
    at = message.sent_at
    if at is None:
        return False
    # Twilio keeps whole seconds; a message sent within the second that is asked for belongs to it.
    return (earliest is None or at >= earliest) and (latest is None or int(at) <= latest)


def _sent_between(query: Mapping[str, str]) -> tuple[float | None, float | None]:
    day = query.get("DateSent")
    if day:
        # Libraries send a date with the time of day; it is the day that counts.
        start = _moment(day) // _DAY_S * _DAY_S
        return start, start + _DAY_S - 1
    after, before = query.get("DateSent>"), query.get("DateSent<")
    return (_moment(after) if after else None), (_moment(before) if before else None)


def _moment(value: str) -> float:
    """Return the seconds since 1970; a day means its midnight."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ApiError(20001, f"DateSent {value} is neither YYYY-MM-DD nor ISO 8601") from error
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _number(query: Mapping[str, str], name: str) -> str:
    # An unescaped plus in a query arrives as a space.
    value = query.get(name, "")
    return "+" + value[1:] if value.startswith(" ") else value


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, "")
    if not value:
        return default
    if not value.isdecimal():
        raise ApiError(20001, f"{name} must be a whole number")
    return int(value)


def _below(token: str) -> int | None:
    return int(token[2:]) if token[2:].isdecimal() else None
