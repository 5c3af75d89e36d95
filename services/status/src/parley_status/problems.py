"""Errors of the API: JSON that names the thing and the fix. Knows HTTP and no route."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from parley_status.database import is_trouble
from parley_status.views import Problem, ProblemView

log = structlog.get_logger(__name__)


class Refused(HTTPException):
    """A request that can't be answered as it is."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code


def answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as a response."""
    body = msgspec.json.encode(ProblemView(error=Problem(code=code, message=message)))
    return Response(body, status, headers, media_type="application/json")


async def answer_refusal(request: Request, error: Exception) -> Response:
    """Our own refusals, and those of the router."""
    assert isinstance(error, HTTPException)
    if isinstance(error, Refused):
        return answer(error.status_code, error.code, error.detail)
    if error.status_code == 405:
        allowed = " or ".join(sorted((error.headers or {}).get("Allow", "GET").split(", ")))
        return answer(
            405,
            "method_not_allowed",
            f"{request.method} is not for this address: use {allowed}.",
            error.headers,
        )
    return answer(
        404,
        "not_found",
        "There is nothing at this address: use /v1/messages/{id}, /v1/conversations or /v1/conversations/{id}.",
    )


async def answer_failure(_request: Request, error: Exception) -> Response:
    """What went wrong on our side; the database's trouble passes, all else is a mistake of ours."""
    if is_trouble(error):
        log.warning("request not answered, the database is in trouble", error=type(error).__name__)
        return answer(503, "database_unavailable", "The database does not answer: try again in a few seconds.")
    log.error("request failed", error=type(error).__name__)
    return answer(500, "internal_error", "The status service failed at this: its log tells more.")
