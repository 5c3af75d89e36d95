"""Reading what a control route was given: typed, and refused with the field and the fix.

Knows nothing of what the routes do.
"""

import re
from enum import Enum, EnumMeta
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

T = TypeVar("T")


class ControlError(Exception):
    """A control request that cannot be served."""

    def __init__(self, error: str, *, field: str = "", fix: str = "", status: int = 400) -> None:
        super().__init__(error)
        self.refusal = Refusal(error, field, fix)
        self.status = status


class Refusal(msgspec.Struct, frozen=True):
    """What a refused control request gets: the sentence, the field it is about, and the fix."""

    error: str
    field: str
    fix: str


async def read_body(request: Request, kind: type[T]) -> T:
    """Return the JSON body as `kind`, or raise ControlError."""
    body = await request.body() or b"{}"
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise refuse(error, kind) from error


def refuse(error: msgspec.DecodeError, kind: type[Any]) -> ControlError:
    """Return the refusal for a body that does not fit `kind`."""
    words = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return ControlError(f"the body is not JSON: {words}", fix="send a JSON object")
    field = _field_of(words)
    return ControlError(words.split(" - at ")[0], field=field, fix=_fix(words, field, kind))


def json_answer(value: object, status: int = 200) -> Response:
    """Return a value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _field_of(words: str) -> str:
    place = re.search(r"at `\$\.?([^`]*)`", words)
    named = re.search(r"field `([^`]+)`", words)
    return ".".join(part for part in (place and place[1], named and named[1]) if part)


def _fields(kind: type[Any]) -> dict[str, Any]:
    if not issubclass(kind, msgspec.Struct):
        return {}
    return {field.encode_name: field.type for field in msgspec.structs.fields(kind)}


def _fix(words: str, field: str, kind: type[Any]) -> str:
    fields = _fields(kind)
    known = fields.get(field)
    if isinstance(known, EnumMeta):
        return f"{field} is one of: {', '.join(str(member.value) for member in list[Enum](known))}"
    if "unknown field" in words:
        return f"the fields are: {', '.join(fields)}"
    if "missing required" in words:
        return f"add {field}"
    return f"correct {field}" if field else f"send a JSON object with: {', '.join(fields)}"
