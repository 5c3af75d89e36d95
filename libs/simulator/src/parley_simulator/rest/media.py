"""The Media of a message: list, metadata, delete, and the bytes behind a redirect to the content server.

The content server needs no credentials, as Twilio's; its addresses cannot be guessed.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parley_simulator.api_errors import ApiError
from parley_simulator.faults import Fault, Place, find
from parley_simulator.messages import Media, Message
from parley_simulator.rest.gate import simulator_of, strike_before
from parley_simulator.rest.messages import find_message, subject_of
from parley_simulator.rest.shapes import MediaResource, json_response, media_resource
from parley_simulator.simulator import Simulator


class MediaList(msgspec.Struct):
    """All media of a message; never more than a page."""

    media_list: list[MediaResource]
    first_page_uri: str
    uri: str
    end: int
    next_page_uri: str | None = None
    previous_page_uri: str | None = None
    page: int = 0
    page_size: int = 50
    start: int = 0


async def read_media_list(simulator: Simulator, request: Request) -> Response:
    """GET Messages/{Sid}/Media.json."""
    message = find_message(simulator, request)
    rows = [media_resource(media, message.sid, simulator.account.sid) for media in message.media]
    uri = f"{request.url.path}?PageSize=50&Page=0"
    return json_response(MediaList(rows, first_page_uri=uri, uri=uri, end=max(len(rows) - 1, 0)))


async def read_media(simulator: Simulator, request: Request) -> Response:
    """GET Messages/{Sid}/Media/{Sid}[.json]: metadata with .json, else a redirect to the bytes."""
    message = find_message(simulator, request)
    rules = simulator.faults.draw(Place.MEDIA, subject_of(message))
    await strike_before(rules)
    media = _find(message, request)
    if request.url.path.endswith(".json"):
        return json_response(media_resource(media, message.sid, simulator.account.sid))
    late = find(rules, Fault.MEDIA_404_FIRST)
    if late and simulator.shelf.count_request(media.sid) <= late.count:
        raise ApiError(20404, request.url.path)
    return RedirectResponse(f"{simulator.origin}/_cdn/{media.sid}", status_code=307)


async def delete_media(simulator: Simulator, request: Request) -> Response:
    """DELETE Messages/{Sid}/Media/{Sid}.json."""
    message = find_message(simulator, request)
    media = _find(message, request)
    message.media = tuple(other for other in message.media if other is not media)
    simulator.shelf.remove(media.sid)
    return Response(status_code=204)


async def serve_bytes(request: Request) -> Response:
    """GET /_cdn/{Sid}: the bytes."""
    kept = simulator_of(request).shelf.get(request.path_params["media_sid"])
    if kept is None:
        return Response(status_code=404)
    content_type, data = kept
    # Somebody else's file must not run as a page of this origin.
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(data, headers=headers, media_type=content_type)


def _find(message: Message, request: Request) -> Media:
    sid = request.path_params["media_sid"].removesuffix(".json")
    for media in message.media:
        if media.sid == sid:
            return media
    raise ApiError(20404, request.url.path)
