"""A brain at a model server of the test's own, and turns for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from harness.model_server import ModelServer
from parley_brains.agent_file import AgentFile
from parley_brains.brain import Attachment, Brain, Exchange, Kind, Turn, newest
from parley_brains.llm.brain import make_brain
from parley_common.tail import MOST_PAST

NUMBER = "+15557654321"
TEXT = "When do you open tomorrow?"


def agent_file(**changes: object) -> AgentFile:
    """An agent with these tables of its file."""
    return msgspec.convert({"reply": {"within_s": 20.0}, **changes}, AgentFile)


def turn(
    text: str = TEXT,
    *,
    key: str = "turn-1",
    kind: Kind = Kind.SMS,
    attachments: tuple[Attachment, ...] = (),
    missing: int = 0,
    past: Sequence[Exchange] = (),
) -> Turn:
    """What a person texted."""

    async def read_past(most: int = MOST_PAST) -> Sequence[Exchange]:
        return newest(past, most)

    return Turn(
        key=key,
        channel="default",
        conversation="3f2a",
        contact=NUMBER,
        recipient="+15550001111",
        texts=(text,) if text else (),
        kind=kind,
        attachments=attachments,
        missing=missing,
        past=read_past,
    )


def attachment(content_type: str, data: bytes, size: int | None = None) -> Attachment:
    """A file that came with a text."""

    async def read() -> bytes:
        return data

    return Attachment(content_type=content_type, size=len(data) if size is None else size, read=read)


@asynccontextmanager
async def brain_at(
    server: ModelServer,
    file: AgentFile | None = None,
    folder: Path = Path(),
    *,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Brain]:
    """A brain that asks this server, as an operator of Ollama would have it."""
    environment = {"PARLEY_LLM_BASE_URL": server.base_url, **(settings or {})}
    async with made(file or agent_file(), folder, environment) as brain:
        yield brain


@asynccontextmanager
async def made(file: AgentFile, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Brain]:
    """A brain that is closed afterwards."""
    brain = make_brain(file, folder, environment)
    try:
        yield brain
    finally:
        await brain.close()
