"""The JSON of the account: itself, its numbers, its Messaging Services.

Only translates; decides nothing.
"""

from collections.abc import Sequence

import msgspec

from parley_simulator.numbers import OwnedNumber, Service
from parley_simulator.rest.shapes import API, iso8601, rfc2822


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
    service: Service, number: OwnedNumber, *, account_sid: str, origin: str
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


def numbers_of(service: Service, owned: Sequence[OwnedNumber]) -> list[OwnedNumber]:
    """Return the owned numbers in a service's pool."""
    return [number for number in owned if number.number in service.numbers]
