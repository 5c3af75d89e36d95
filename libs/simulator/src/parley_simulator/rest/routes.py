"""Which path of the REST API is served by what; the busiest comes first."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from parley_simulator.api_errors import ApiError
from parley_simulator.request_log import Kind
from parley_simulator.rest import accounts, media, messages, numbers, services
from parley_simulator.rest.gate import Handler, guarded
from parley_simulator.simulator import Simulator

_ACCOUNT = "/2010-04-01/Accounts/{account_sid}"
_MESSAGE = _ACCOUNT + "/Messages/{sid}"
_NUMBERS = _ACCOUNT + "/IncomingPhoneNumbers"


def rest_routes() -> list[Route]:
    """Return all routes of the REST API, and a JSON 404 for what is not simulated."""
    return [
        _route(_ACCOUNT + "/Messages.json", "POST", messages.create_message),
        _route(_ACCOUNT + "/Messages", "POST", messages.create_message),
        _route(_ACCOUNT + "/Messages.json", "GET", messages.read_list),
        _route(_ACCOUNT + "/Messages", "GET", messages.read_list),
        *_media_routes(),
        _route(_MESSAGE, "GET", messages.read_message),
        _route(_MESSAGE, "POST", messages.update_message),
        _route(_MESSAGE, "DELETE", messages.delete_message),
        _route(_NUMBERS + ".json", "GET", numbers.read_numbers),
        _route(_NUMBERS + "/{sid}", "GET", numbers.read_number),
        _route(_NUMBERS + "/{sid}", "POST", numbers.update_number),
        _route("/2010-04-01/Accounts/{account_sid}.json", "GET", accounts.read_account),
        _route("/v1/Services", "GET", services.read_services),
        _route("/v1/Services/{sid}", "GET", services.read_service),
        _route("/v1/Services/{sid}/PhoneNumbers", "GET", services.read_pool),
        Route("/2010-04-01/{rest:path}", guarded(_not_simulated), methods=["GET", "POST", "DELETE", "PUT"]),
        Route("/v1/{rest:path}", guarded(_not_simulated), methods=["GET", "POST", "DELETE", "PUT"]),
    ]


def _media_routes() -> list[Route]:
    return [
        _route(_MESSAGE + "/Media.json", "GET", media.read_media_list),
        _route(_MESSAGE + "/Media", "GET", media.read_media_list),
        Route(_MESSAGE + "/Media/{media_sid}", guarded(media.read_media, Kind.MEDIA), methods=["GET"]),
        _route(_MESSAGE + "/Media/{media_sid}", "DELETE", media.delete_media),
        Route("/_cdn/{media_sid}", media.serve_bytes, methods=["GET"]),
    ]


def _route(path: str, method: str, handler: Handler) -> Route:
    return Route(path, guarded(handler), methods=[method])


async def _not_simulated(_: Simulator, request: Request) -> Response:
    raise ApiError(20404, request.url.path)
