"""The body of a webhook as Twilio sends it: bounded, every field kept as it came.

Nothing is stripped, dropped or merged here, since the signature covers every field as sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 65_536
MOST_FIELDS = 500

_FORM = "application/x-www-form-urlencoded"

Fields = list[tuple[str, str]]


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The request is not one Twilio makes; ``status`` and the message say why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Form:
    """The fields of a webhook in the order they came, and the raw body they were read from."""

    fields: Fields
    body: bytes

    def get(self, name: str) -> str:
        """The first value of a field, empty where it is missing."""
        return next((value for key, value in self.fields if key == name), "")


async def read_form(request: Request) -> Form:
    """Reads a webhook's fields from its body, or from its query where it is a GET. Raises ``Refused``."""
    if request.method == "GET":
        return Form(fields=_parse(request.scope["query_string"]), body=b"")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _FORM:
        raise Refused(415, f"content type is {'another' if content_type else 'missing'}: send {_FORM}")
    body = await _read_body(request)
    return Form(fields=_parse(body), body=body)


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise Refused(413, f"body is larger than {MOST_BYTES} bytes")
    except ClientDisconnect:
        raise Refused(400, "the connection ended before the body did") from None
    return bytes(body)


def _parse(query: bytes) -> Fields:
    try:
        text = query.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refused(400, f"body is not a form of at most {MOST_FIELDS} UTF-8 fields") from None
