"""The JSON of messages, media and errors, and how the REST API writes dates.

Only translates; decides nothing. Numbers, services and the account are in `account_shapes`.
"""

import time
from functools import lru_cache

import msgspec
from starlette.responses import Response

from parley_simulator.api_errors import ApiError
from parley_simulator.messages import Direction, Media, Message

API = "/2010-04-01"
_SEGMENT_PRICE = 0.0083
_MMS_PRICE = 0.02
_encode = msgspec.json.Encoder().encode


class MessageResource(msgspec.Struct, rename={"sender": "from"}, gc=False):
    """The Message resource."""

    account_sid: str
    api_version: str
    body: str
    date_created: str
    date_sent: str | None
    date_updated: str
    direction: Direction
    error_code: int | None
    error_message: str | None
    sender: str | None
    messaging_service_sid: str | None
    num_media: str
    num_segments: str
    price: str | None
    price_unit: str
    sid: str
    status: str
    subresource_uris: dict[str, str]
    to: str
    uri: str


class MediaResource(msgspec.Struct, gc=False):
    """The Media resource."""

    account_sid: str
    content_type: str
    date_created: str
    date_updated: str
    parent_sid: str
    sid: str
    uri: str


class ErrorBody(msgspec.Struct):
    """What a refusal looks like."""

    code: int
    message: str
    more_info: str
    status: int


def json_response(resource: object, status: int = 200) -> Response:
    """Return a resource as JSON."""
    return Response(_encode(resource), status, media_type="application/json")


def error_response(error: ApiError) -> Response:
    """Return a refusal as Twilio words it."""
    body = ErrorBody(error.code, error.words, f"https://www.twilio.com/docs/errors/{error.code}", error.status)
    response = json_response(body, error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response


def message_resource(message: Message, account_sid: str) -> MessageResource:
    """Return the resource of a message."""
    uri = f"{API}/Accounts/{account_sid}/Messages/{message.sid}"
    return MessageResource(
        account_sid=account_sid,
        api_version="2010-04-01",
        body=message.body,
        date_created=rfc2822(int(message.created_at)),
        date_sent=None if message.sent_at is None else rfc2822(int(message.sent_at)),
        date_updated=rfc2822(int(message.updated_at)),
        direction=message.direction,
        error_code=message.error_code,
        error_message=message.error_message,
        sender=message.sender,
        messaging_service_sid=message.service_sid,
        num_media=str(message.num_media),
        # Twilio has not counted yet while a Messaging Service still picks the number.
        num_segments="0" if message.sender is None else str(message.segments.segments),
        price=_price(message),
        price_unit="USD",
        sid=message.sid,
        status=message.status.value,
        subresource_uris={"media": f"{uri}/Media.json"},
        to=message.to,
        uri=f"{uri}.json",
    )


def media_resource(media: Media, message_sid: str, account_sid: str) -> MediaResource:
    """Return the resource of a medium."""
    at = rfc2822(int(media.created_at))
    return MediaResource(
        account_sid=account_sid,
        content_type=media.content_type,
        date_created=at,
        date_updated=at,
        parent_sid=message_sid,
        sid=media.sid,
        uri=f"{API}/Accounts/{account_sid}/Messages/{message_sid}/Media/{media.sid}.json",
    )


@lru_cache(maxsize=4_096)
def rfc2822(at_s: int) -> str:
    """Return a date as the 2010 API writes it."""
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(at_s))


@lru_cache(maxsize=256)
def iso8601(at_s: int) -> str:
    """Return a date as the newer APIs write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def _price(message: Message) -> str | None:
    """Return what the message cost, null until it left."""
    if message.sent_at is None:
        return None
    price = _MMS_PRICE if message.num_media else _SEGMENT_PRICE * message.segments.segments
    return f"-{price:.5f}"
