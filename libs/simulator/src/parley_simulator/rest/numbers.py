"""The IncomingPhoneNumbers resource: which numbers the account has and where their webhooks go."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from parley_simulator.api_errors import ApiError
from parley_simulator.messages import now
from parley_simulator.numbers import OwnedNumber
from parley_simulator.rest.account_shapes import NumberResource, number_resource
from parley_simulator.rest.forms import first, read_form
from parley_simulator.rest.shapes import json_response
from parley_simulator.simulator import Simulator

_FIELDS = {
    "FriendlyName": "friendly_name",
    "SmsUrl": "sms_url",
    "SmsMethod": "sms_method",
    "SmsFallbackUrl": "sms_fallback_url",
    "SmsFallbackMethod": "sms_fallback_method",
    "StatusCallback": "status_callback",
    "StatusCallbackMethod": "status_callback_method",
}


class NumberList(msgspec.Struct):
    """The numbers of the account; never more than a page."""

    incoming_phone_numbers: list[NumberResource]
    first_page_uri: str
    uri: str
    end: int
    next_page_uri: str | None = None
    previous_page_uri: str | None = None
    page: int = 0
    page_size: int = 50
    start: int = 0


async def read_numbers(simulator: Simulator, request: Request) -> Response:
    """GET IncomingPhoneNumbers.json, optionally by PhoneNumber or a part of it."""
    wanted = request.query_params.get("PhoneNumber", "").replace(" ", "+")
    rows = [number_resource(n, simulator.account.sid) for n in simulator.numbers if wanted in n.number]
    uri = f"{request.url.path}?PageSize=50&Page=0"
    return json_response(NumberList(rows, first_page_uri=uri, uri=uri, end=max(len(rows) - 1, 0)))


async def read_number(simulator: Simulator, request: Request) -> Response:
    """GET IncomingPhoneNumbers/{Sid}.json."""
    return json_response(number_resource(_find(simulator, request), simulator.account.sid))


async def update_number(simulator: Simulator, request: Request) -> Response:
    """POST IncomingPhoneNumbers/{Sid}.json: set webhooks; what is not named stays."""
    number = _find(simulator, request)
    form = await read_form(request)
    for name, field in _FIELDS.items():
        if name in form:
            setattr(number, field, _value(name, first(form, name)))
    number.updated_at = now()
    return json_response(number_resource(number, simulator.account.sid))


def _value(name: str, value: str) -> str:
    if name.endswith("Method") and value.upper() not in {"GET", "POST"}:
        raise ApiError(20001, f"{name} must be GET or POST")
    if name.endswith(("Url", "Callback")) and value and not value.startswith(("http://", "https://")):
        raise ApiError(20001, f"{name} must be an http or https address")
    return value.upper() if name.endswith("Method") else value


def _find(simulator: Simulator, request: Request) -> OwnedNumber:
    number = simulator.numbers.by_sid(request.path_params["sid"].removesuffix(".json"))
    if number is None:
        raise ApiError(20404, request.url.path)
    return number
