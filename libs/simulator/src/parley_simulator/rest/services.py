"""Messaging Services of messaging.v1: list, fetch, and the numbers in a service's pool."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from parley_simulator.api_errors import ApiError
from parley_simulator.numbers import Service
from parley_simulator.rest.account_shapes import (
    PoolNumberResource,
    ServiceResource,
    numbers_of,
    pool_number_resource,
    service_resource,
)
from parley_simulator.rest.shapes import json_response
from parley_simulator.simulator import Simulator


class PageMeta(msgspec.Struct):
    """Paging of the newer APIs."""

    url: str
    first_page_url: str
    key: str
    next_page_url: str | None = None
    previous_page_url: str | None = None
    page: int = 0
    page_size: int = 50


class ServiceList(msgspec.Struct):
    """The services of the account."""

    services: list[ServiceResource]
    meta: PageMeta


class PoolList(msgspec.Struct):
    """The numbers of a service."""

    phone_numbers: list[PoolNumberResource]
    meta: PageMeta


async def read_services(simulator: Simulator, request: Request) -> Response:
    """GET /v1/Services."""
    rows = [_resource(simulator, service) for service in simulator.numbers.services]
    return json_response(ServiceList(rows, _meta(simulator, request, "services")))


async def read_service(simulator: Simulator, request: Request) -> Response:
    """GET /v1/Services/{Sid}."""
    return json_response(_resource(simulator, _find(simulator, request)))


async def read_pool(simulator: Simulator, request: Request) -> Response:
    """GET /v1/Services/{Sid}/PhoneNumbers."""
    service = _find(simulator, request)
    rows = [
        pool_number_resource(service, number, account_sid=simulator.account.sid, origin=simulator.origin)
        for number in numbers_of(service, list(simulator.numbers))
    ]
    return json_response(PoolList(rows, _meta(simulator, request, "phone_numbers")))


def _resource(simulator: Simulator, service: Service) -> ServiceResource:
    return service_resource(service, simulator.account.sid, simulator.origin)


def _find(simulator: Simulator, request: Request) -> Service:
    service = simulator.numbers.service(request.path_params["sid"])
    if service is None:
        raise ApiError(20404, request.url.path)
    return service


def _meta(simulator: Simulator, request: Request, key: str) -> PageMeta:
    url = f"{simulator.origin}{request.url.path}?PageSize=50&Page=0"
    return PageMeta(url=url, first_page_url=url, key=key)
