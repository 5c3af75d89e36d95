"""The HTTP API under ``/v1``: messages, their delivery, conversations. Reads only; knows no SQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from parley_status import queries
from parley_status.access import KeyRequired
from parley_status.database import DATABASE_ERROR, Database
from parley_status.problems import Refused, answer_failure, answer_refusal

_MOST = 200
_USUAL = 50

Cursor = TypeVar("Cursor")


def routes(database: Database, api_key: str) -> list[BaseRoute]:
    """The routes of the API, behind the key."""
    api = Api(database)
    application = Starlette(
        routes=[
            Route("/messages/{id}", api.message),
            Route("/conversations", api.conversations),
            Route("/conversations/{id}", api.conversation),
        ],
        middleware=[Middleware(KeyRequired, api_key=api_key)],
        exception_handlers={HTTPException: answer_refusal, DATABASE_ERROR: answer_failure},
    )
    return [Mount("/v1", application)]


class Api:
    """Answers from the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def message(self, request: Request) -> Response:
        """``GET /v1/messages/{id}``."""
        message_id = request.path_params["id"]
        found = await self._database.read(partial(queries.find_message, message_id=message_id))
        if found is None:
            raise Refused(
                404,
                "message_not_found",
                "There is no message of this id: use a MessageSid of a text or the id of a reply.",
            )
        return _json(found)

    async def conversation(self, request: Request) -> Response:
        """``GET /v1/conversations/{id}?limit=&before=``."""
        query = partial(
            queries.find_conversation,
            conversation_id=request.path_params["id"],
            limit=_limit(request),
            before=_before(request, queries.Place.parse),
        )
        found = await self._database.read(query)
        if found is None:
            raise Refused(
                404,
                "conversation_not_found",
                "There is no conversation of this id: list them at /v1/conversations.",
            )
        return _json(found)

    async def conversations(self, request: Request) -> Response:
        """``GET /v1/conversations?contact=&limit=&before=``."""
        query = partial(
            queries.list_conversations,
            contact=_contact(request),
            limit=_limit(request),
            before=_before(request, queries.Moment.parse),
        )
        return _json(await self._database.read(query))


def _json(view: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(view), media_type="application/json")


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(_USUAL))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= _MOST):
        raise Refused(400, "bad_limit", f"limit is not a number from 1 to {_MOST}: leave it out to get {_USUAL}.")
    return int(text)


def _before(request: Request, parse: Callable[[str], Cursor]) -> Cursor | None:
    text = request.query_params.get("before")
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError:
        raise Refused(
            400, "bad_before", "before is not a cursor: take the value of before from the page you have."
        ) from None


def _contact(request: Request) -> str | None:
    """The address to look for. A query turns an unescaped plus into a blank, and no address holds blanks."""
    contact = request.query_params.get("contact")
    return None if contact is None else contact.replace(" ", "+")
