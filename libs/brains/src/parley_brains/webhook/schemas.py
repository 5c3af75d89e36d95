"""The JSON Schemas of what is said to the bot and by it, made from the structs that encode and decode it.

``python -m parley_brains.webhook.schemas docs/schemas`` writes them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from parley_brains.webhook.answer import Answer
from parley_brains.webhook.elements import SHOWN, Element
from parley_brains.webhook.question import VERSION, Question

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Each schema by the name of its file."""
    (question, answer, element), parts = msgspec.json.schema_components(
        (Question, Answer, Element), ref_template="#/$defs/{name}"
    )
    parts = {name: _tidy(part) for name, part in parts.items()}
    parts["Question"]["properties"]["version"] = {"const": VERSION}
    parts["Element"]["properties"]["type"] = {"enum": list(SHOWN), "default": "text"}
    parts["Answer"]["properties"]["messages"] = {"type": ["array", "null"], "items": {"$ref": "#/$defs/Shown"}}
    parts["Answer"]["anyOf"] = [
        {"required": ["messages"], "properties": {"messages": {"type": "array"}}},
        {"required": ["hand_over"], "properties": {"hand_over": {"const": True}}},
        {"required": ["silent"], "properties": {"silent": {"const": True}}},
    ]
    for name in ("Answer", "Element", "Button"):
        _make_nullable(parts[name])
    parts["Shown"] = {
        "description": "A text, an element, or anything of another type, which is ignored.",
        "anyOf": [{"type": "string"}, element, _other_types()],
    }
    return {
        "webhook-question.json": _whole(question, parts, ("Question", "Kind", "Choice", "Listed", "Earlier")),
        "webhook-answer.json": _whole(answer, parts, ("Answer", "Shown", "Element", "Button")),
    }


def write(folder: Path) -> None:
    """Writes them into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        formatted = msgspec.json.format(msgspec.json.encode(schema), indent=2)
        (folder / name).write_bytes(formatted + b"\n")


def _whole(root: dict[str, Any], parts: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {"$schema": _DIALECT, **root, "$defs": {name: parts[name] for name in names}}


def _other_types() -> dict[str, Any]:
    other = {"type": "string", "not": {"enum": list(SHOWN)}}
    return {"type": "object", "required": ["type"], "properties": {"type": other}}


def _make_nullable(part: dict[str, Any]) -> None:
    """What may be left out may be null as well."""
    for name, value in part["properties"].items():
        if name not in part["required"]:
            part["properties"][name] = _or_null(value)
    memory = part["properties"].get("memory")
    if memory is not None:
        memory["anyOf"][0]["additionalProperties"] = _or_null({"type": "string"})


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    kind = schema.get("type")
    return {**schema, "type": [kind, "null"]} if isinstance(kind, str) else schema


def _tidy(part: dict[str, Any]) -> dict[str, Any]:
    words = " ".join(part.get("description", "").replace("``", "`").split())
    return {**part, "description": words}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
