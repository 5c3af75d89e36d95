"""What a model may do: search the knowledge, call the declared tools, ask for a person. Nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic_ai import RunContext, Tool

from parley_brains.agent_file import AgentFile
from parley_brains.knowledge import Knowledge
from parley_brains.llm.settings import HAND_OVER, OWN_TOOLS, SEARCH
from parley_brains.tools.calling import Parameter, ToolFailed, Tools
from parley_brains.tools.calling import Tool as DeclaredTool
from parley_common.settings import SettingsError

_MOST_PASSAGES = 4
_MOST_QUESTION = 500
_SEARCHES = (
    "Searches our own documents for what they say about a question. Use words that are likely to stand in them."
)
_HANDS_OVER = "Lets a person of our staff take over this conversation. Call it only where the person wants that."


class _Passage(Protocol):
    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...


@dataclass
class Doing:
    """What one turn does. ``key`` is the same at every attempt at it."""

    key: str
    handed_over: bool = False


def model_tools(file: AgentFile, folder: Path, tools: Tools) -> list[Tool[Doing]]:
    """All that a model of this file may call; raises ``SettingsError`` where two have one name."""
    for name in OWN_TOOLS:
        if name in file.tools:
            raise SettingsError(f"tools.{name}: Parley has a tool of that name; choose another")
    found = [_declared(name, tool, tools) for name, tool in file.tools.items()]
    if file.knowledge:
        found.append(_search(Knowledge(folder / file.knowledge, language=file.language)))
    if file.handoff.words:
        found.append(_hand_over())
    return found


def schema(tool: DeclaredTool) -> dict[str, object]:
    """The JSON Schema of a tool's parameters."""
    return _object(
        {name: _property(parameter) for name, parameter in tool.declared.items()},
        [name for name, parameter in tool.declared.items() if parameter.required],
    )


def call_key(turn_key: str, name: str, arguments: Mapping[str, object]) -> str:
    """Stands for one call of one turn: the same when the turn is tried again, another for other arguments."""
    said = json.dumps([turn_key, name, arguments], sort_keys=True)
    return hashlib.sha256(said.encode(errors="replace")).hexdigest()[:32]


def _declared(name: str, declared: DeclaredTool, tools: Tools) -> Tool[Doing]:
    async def call(context: RunContext[Doing], **arguments: object) -> str:
        try:
            answer = await tools.call(name, arguments, key=call_key(context.deps.key, name, arguments))
        except ToolFailed as error:
            return f"Error: {error}"
        return answer or "[nothing was answered]"

    return Tool.from_schema(call, name, declared.description, schema(declared), takes_ctx=True)


def _search(knowledge: Knowledge) -> Tool[Doing]:
    async def search(_context: RunContext[Doing], **arguments: object) -> str:
        question = str(arguments.get("question") or "")[:_MOST_QUESTION]
        found = knowledge.search(question, _MOST_PASSAGES)
        return "\n\n".join(_told(passage) for passage in found) or "Nothing in our documents fits these words."

    question = {"type": "string", "description": "what to look for"}
    return Tool.from_schema(
        search, SEARCH, _SEARCHES, _object({"question": question}, ["question"]), takes_ctx=True
    )


def _told(passage: _Passage) -> str:
    return f"{passage.title}\n{passage.text}" if passage.title else passage.text


def _hand_over() -> Tool[Doing]:
    async def hand_over(context: RunContext[Doing], **_arguments: object) -> str:
        context.deps.handed_over = True
        return "A person will answer next. Tell them so in one short sentence."

    return Tool.from_schema(hand_over, HAND_OVER, _HANDS_OVER, _object({}, []), takes_ctx=True)


def _object(properties: Mapping[str, object], required: list[str]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _property(parameter: Parameter) -> dict[str, object]:
    found: dict[str, object] = {"type": parameter.type.value}
    if parameter.description:
        found["description"] = parameter.description
    if parameter.enum:
        found["enum"] = list(parameter.enum)
    return found
