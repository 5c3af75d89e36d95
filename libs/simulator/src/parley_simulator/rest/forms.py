"""Reading the form of a REST request without changing it.

The common case, a URL-encoded body, does not go through a parser of uploads.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from parley_simulator.api_errors import ApiError

Form = Mapping[str, list[str]]


async def read_form(request: Request) -> Form:
    """Return every value by name, blanks included, in the order sent."""
    fields: dict[str, list[str]] = {}
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    else:
        pairs = _parse(await request.body())
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def first(form: Form, name: str, default: str = "") -> str:
    """Return the first value of a field."""
    values = form.get(name)
    return values[0] if values else default


def _parse(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=1_000)
    except ValueError as error:
        raise ApiError(20001, "the body is not a URL-encoded form in UTF-8") from error
