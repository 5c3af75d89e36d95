"""What an agent file says of the HTTP requests that a brain may have made."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

Timeout = Annotated[float, msgspec.Meta(gt=0, le=60)]
"""Seconds; a person who texts waits no longer."""


class ParameterType(StrEnum):
    """What a parameter may be, in the words of JSON Schema."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


class Method(StrEnum):
    """How a tool is asked. ``GET`` and ``DELETE`` have no body: what is not in the URL goes into its query."""

    GET = "GET"
    DELETE = "DELETE"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"

    @property
    def has_body(self) -> bool:
        """Whether parameters that are not in the URL go out as JSON."""
        return self not in (Method.GET, Method.DELETE)


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One parameter of a tool. ``enum``: the only values there are; any value where it is empty."""

    description: str = ""
    type: ParameterType = ParameterType.STRING
    required: bool = True
    enum: tuple[str, ...] = ()


class Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table ``[tools.NAME]``: one HTTP request that a brain may have made.

    ``{name}`` in the path or query of ``url`` stands for a parameter, ``${NAME}`` in ``url`` and ``headers`` for a
    variable of the environment that no model gets to see. A parameter given as a text is required, a string, and
    described by that text. ``timeout_s``: until the end of the answer, in seconds.
    """

    description: str
    url: str
    method: Method = Method.GET
    headers: dict[str, str] = {}
    parameters: dict[str, str | Parameter] = {}
    timeout_s: Timeout = 10.0

    @property
    def declared(self) -> Mapping[str, Parameter]:
        """Its parameters by name."""
        return {
            name: Parameter(description=told) if isinstance(told, str) else told
            for name, told in self.parameters.items()
        }
