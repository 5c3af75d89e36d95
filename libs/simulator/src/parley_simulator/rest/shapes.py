"""The JSON of the REST API: messages, media, numbers, services, the account, lists and errors.

Only translates; decides nothing.
"""

import time
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from starlette.responses import Response

from parley_simulator.api_errors import ApiError
from parley_simulator.messages import Direction, Media, Message
from parley_simulator.numbers import OwnedNumber, Service

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


class NumberResource(msgspec.Struct):
    """The IncomingPhoneNumber resource."""

    account_sid: str
    sid: str
    phone_number: str
    friendly_name: str
    sms_url: str
    sms_method: str
    sms_fallback_url: str
    sms_fallback_method: str
    status_callback: str
    status_callback_method: str
    date_created: str
    date_updated: str
    uri: str
    capabilities: dict[str, bool]
    address_requirements: str = "none"
    address_sid: str | None = None
    api_version: str = "2010-04-01"
    beta: bool = False
    bundle_sid: str | None = None
    emergency_address_sid: str | None = None
    emergency_status: str = "Inactive"
    identity_sid: str | None = None
    origin: str = "twilio"
    sms_application_sid: str = ""
    status: str = "in-use"
    trunk_sid: str | None = None
    voice_application_sid: str = ""
    voice_caller_id_lookup: bool = False
    voice_fallback_method: str = "POST"
    voice_fallback_url: str = ""
    voice_method: str = "POST"
    voice_url: str = ""


class AccountResource(msgspec.Struct):
    """The Account resource, without its auth token."""

    sid: str
    owner_account_sid: str
    date_created: str
    date_updated: str
    uri: str
    subresource_uris: dict[str, str]
    friendly_name: str = "Parley simulator"
    status: str = "active"
    type: str = "Full"


class ServiceResource(msgspec.Struct):
    """The Service resource of messaging.v1."""

    account_sid: str
    sid: str
    friendly_name: str
    date_created: str
    date_updated: str
    status_callback: str | None
    url: str
    links: dict[str, str]
    inbound_request_url: str | None = None
    inbound_method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    use_inbound_webhook_on_number: bool = True
    sticky_sender: bool = True
    mms_converter: bool = True
    smart_encoding: bool = False
    area_code_geomatch: bool = False
    fallback_to_long_code: bool = False
    scan_message_content: str = "inherit"
    synchronous_validation: bool = False
    usecase: str = "undeclared"
    us_app_to_person_registered: bool = False
    validity_period: int = 36_000


class PoolNumberResource(msgspec.Struct):
    """A phone number in the pool of a Service."""

    account_sid: str
    service_sid: str
    sid: str
    phone_number: str
    country_code: str
    capabilities: list[str]
    date_created: str
    date_updated: str
    url: str


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


def number_resource(number: OwnedNumber, account_sid: str) -> NumberResource:
    """Return the resource of a number."""
    return NumberResource(
        account_sid=account_sid,
        sid=number.sid,
        phone_number=number.number,
        friendly_name=number.friendly_name,
        sms_url=number.sms_url,
        sms_method=number.sms_method,
        sms_fallback_url=number.sms_fallback_url,
        sms_fallback_method=number.sms_fallback_method,
        status_callback=number.status_callback,
        status_callback_method=number.status_callback_method,
        date_created=rfc2822(int(number.created_at)),
        date_updated=rfc2822(int(number.updated_at)),
        uri=f"{API}/Accounts/{account_sid}/IncomingPhoneNumbers/{number.sid}.json",
        capabilities={"voice": True, "sms": True, "mms": True, "fax": False},
    )


def account_resource(account_sid: str, created_at: float) -> AccountResource:
    """Return the resource of the account."""
    uri = f"{API}/Accounts/{account_sid}"
    return AccountResource(
        sid=account_sid,
        owner_account_sid=account_sid,
        date_created=rfc2822(int(created_at)),
        date_updated=rfc2822(int(created_at)),
        uri=f"{uri}.json",
        subresource_uris={
            "messages": f"{uri}/Messages.json",
            "incoming_phone_numbers": f"{uri}/IncomingPhoneNumbers.json",
        },
    )


def service_resource(service: Service, account_sid: str, origin: str) -> ServiceResource:
    """Return the resource of a Messaging Service."""
    url = f"{origin}/v1/Services/{service.sid}"
    at = iso8601(int(service.created_at))
    return ServiceResource(
        account_sid=account_sid,
        sid=service.sid,
        friendly_name=service.friendly_name,
        date_created=at,
        date_updated=at,
        status_callback=service.status_callback or None,
        url=url,
        links={"phone_numbers": f"{url}/PhoneNumbers"},
    )


def pool_number_resource(
    service: Service, number: OwnedNumber, account_sid: str, origin: str
) -> PoolNumberResource:
    """Return the resource of a number in a service's pool."""
    at = iso8601(int(service.created_at))
    return PoolNumberResource(
        account_sid=account_sid,
        service_sid=service.sid,
        sid=number.sid,
        phone_number=number.number,
        country_code="US",
        capabilities=["SMS", "MMS", "Voice"],
        date_created=at,
        date_updated=at,
        url=f"{origin}/v1/Services/{service.sid}/PhoneNumbers/{number.sid}",
    )


@lru_cache(maxsize=4_096)
def rfc2822(at_s: int) -> str:
    """Return a date as the 2010 API writes it."""
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(at_s))


@lru_cache(maxsize=256)
def iso8601(at_s: int) -> str:
    """Return a date as the newer APIs write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def numbers_of(service: Service, owned: Sequence[OwnedNumber]) -> list[OwnedNumber]:
    """Return the owned numbers in a service's pool."""
    return [number for number in owned if number.number in service.numbers]


def _price(message: Message) -> str | None:
    """Return what the message cost, null until it left."""
    if message.sent_at is None:
        return None
    price = _MMS_PRICE if message.num_media else _SEGMENT_PRICE * message.segments.segments
    return f"-{price:.5f}"
