"""What `POST Messages` is asked to send: the form, checked in Twilio's order.

Knows the rules of a request; storing and sending is done by `rest.messages`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from parley_simulator.api_errors import ApiError
from parley_simulator.media import MOST_PER_MESSAGE
from parley_simulator.messages import now
from parley_simulator.numbers import Service
from parley_simulator.phone_numbers import normalize
from parley_simulator.rest.forms import Form, first
from parley_simulator.simulator import Simulator

LONGEST_BODY = 1600
_SOONEST_S, _LATEST_S = 300, 35 * 86_400


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that may be created."""

    to: str
    sender: str | None
    service: Service | None
    body: str
    media_urls: tuple[str, ...]
    status_callback: str
    validity_s: float
    send_at: float | None


def read_draft(simulator: Simulator, form: Form) -> Draft:
    """Return what the form asks for, or raise ApiError with Twilio's code."""
    to = _recipient(form)
    service = _service(simulator, form)
    sender = _sender(simulator, form, service)
    if to == sender:
        raise ApiError(21266, to)
    body, media_urls = _content(form)
    return Draft(
        to=to,
        sender=sender,
        service=service,
        body=body,
        media_urls=media_urls,
        status_callback=_callback(form, service),
        validity_s=_validity(form),
        send_at=_send_at(form, service),
    )


def check_sendable(simulator: Simulator, draft: Draft) -> None:
    """Refuse at once what Twilio refuses at once: opted out, or a full queue, when a number was named."""
    if draft.sender is None:
        return
    scope = simulator.world.sender_scope(draft.sender, draft.service.sid if draft.service else None)
    if draft.service is None and simulator.blocks.blocks(scope, draft.to):
        raise ApiError(21610)
    if simulator.lifecycle.queue_wait_s(draft.sender) > simulator.tuning.queue_limit_s:
        raise ApiError(21611)


def _recipient(form: Form) -> str:
    to = first(form, "To")
    if not to.strip():
        raise ApiError(21604)
    address = normalize(to.strip())
    if address is None:
        raise ApiError(21211, to)
    return address


def _service(simulator: Simulator, form: Form) -> Service | None:
    sid = first(form, "MessagingServiceSid")
    if not sid:
        return None
    service = simulator.numbers.service(sid)
    if service is None:
        raise ApiError(21701, sid)
    if not service.numbers:
        raise ApiError(21703)
    return service


def _sender(simulator: Simulator, form: Form, service: Service | None) -> str | None:
    sender = first(form, "From").strip()
    if not sender:
        if service is None:
            raise ApiError(21603)
        return None
    address = normalize(sender)
    if address is None or simulator.numbers.get(address) is None:
        raise ApiError(21606, sender)
    if service is not None and address.rpartition(":")[2] not in service.numbers:
        raise ApiError(21712, sender)
    return address


def _content(form: Form) -> tuple[str, tuple[str, ...]]:
    body = first(form, "Body")
    media_urls = tuple(url for url in form.get("MediaUrl", []) if url)
    if not body.strip() and not media_urls:
        raise ApiError(21602)
    if len(body) > LONGEST_BODY:
        raise ApiError(21617)
    if len(media_urls) > MOST_PER_MESSAGE:
        raise ApiError(21623)
    for url in media_urls:
        if not _is_web_address(url):
            raise ApiError(21620, url)
    return body, media_urls


def _callback(form: Form, service: Service | None) -> str:
    url = first(form, "StatusCallback")
    if url and not _is_web_address(url):
        raise ApiError(21609, url)
    return url or (service.status_callback if service else "")


def _validity(form: Form) -> float:
    value = first(form, "ValidityPeriod", "36000")
    if not value.isdecimal() or not 1 <= int(value) <= 36_000:
        raise ApiError(20001, "ValidityPeriod must be from 1 to 36000 seconds")
    return float(value)


def _send_at(form: Form, service: Service | None) -> float | None:
    value = first(form, "SendAt")
    if not value:
        return None
    if service is None:
        raise ApiError(35118)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise ApiError(20001, "SendAt must be a date and time in ISO 8601") from error
    at = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if not now() + _SOONEST_S - 1 <= at <= now() + _LATEST_S:
        raise ApiError(35114)
    return at


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url) <= 4_000
    except ValueError:
        return False
