"""Which models are asked, where, and with which key: from the environment, else from the agent file. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from parley_brains.llm.settings import Llm
from parley_brains.origins import origin
from parley_brains.tools.filling import NotSet
from parley_common.settings import Environment, SettingsError, read_optional

MODEL, BASE_URL, FALLBACK = "PARLEY_MODEL", "PARLEY_LLM_BASE_URL", "PARLEY_MODEL_FALLBACK"
API_KEY = "PARLEY_LLM_API_KEY"


class Maker(StrEnum):
    """Whose API is spoken, as spans name it."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    COMPATIBLE = "openai_compatible"


_DEFAULT_URLS = {Maker.OPENAI: "https://api.openai.com/v1", Maker.ANTHROPIC: "https://api.anthropic.com"}
_KEYS = {Maker.OPENAI: "OPENAI_API_KEY", Maker.ANTHROPIC: "ANTHROPIC_API_KEY"}
_URLS = {Maker.OPENAI: "OPENAI_BASE_URL", Maker.ANTHROPIC: "ANTHROPIC_BASE_URL"}


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One model. ``model``: empty for the first that the server lists. ``key``: empty where none is needed."""

    maker: Maker
    model: str
    base_url: str
    key: str = field(repr=False)

    @property
    def server(self) -> str:
        """The server as operators know it, without credentials."""
        return origin(self.base_url)


def read_endpoints(llm: Llm, environment: Environment) -> tuple[Endpoint, ...]:
    """The model and, where there is one, its fallback; raises ``SettingsError``."""
    return tuple(_endpoints(llm, environment))


def _endpoints(llm: Llm, environment: Environment) -> Iterator[Endpoint]:
    told = read_optional(environment, BASE_URL)
    base_url = _checked(told, BASE_URL) if told else _checked(llm.base_url, "llm.base_url")
    model = read_optional(environment, MODEL) or llm.model
    fallback = read_optional(environment, FALLBACK) or llm.fallback
    if not model and not base_url:
        raise SettingsError(
            f"no model is set: set {MODEL} or {BASE_URL}, or write model in [llm] of the agent file"
        )
    if told and _maker(model) is not None and (not fallback or _maker(fallback) is not None):
        raise SettingsError(
            f"{MODEL} is {model}, which is not at {BASE_URL}: "
            f"write the bare name of a model there, or unset {BASE_URL}"
        )
    yield _endpoint(model, base_url, environment)
    if fallback:
        yield _endpoint(fallback, base_url, environment)


def _endpoint(name: str, base_url: str, environment: Environment) -> Endpoint:
    maker = _maker(name)
    if maker is None:
        if not base_url:
            raise NotSet(
                f"model {name} needs a server: set {BASE_URL}, or write openai:{name} or anthropic:{name}"
            )
        return Endpoint(
            maker=Maker.COMPATIBLE, model=name, base_url=base_url, key=read_optional(environment, API_KEY) or ""
        )
    model = name.partition(":")[2].strip()
    if not model:
        raise SettingsError(f"model {name} has no name: write it after the colon, as in {maker}:NAME")
    key = read_optional(environment, _KEYS[maker])
    if key is None:
        raise NotSet(f"model {name} needs a key: set {_KEYS[maker]}")
    url = read_optional(environment, _URLS[maker])
    return Endpoint(
        maker=maker, model=model, base_url=_checked(url, _URLS[maker]) if url else _DEFAULT_URLS[maker], key=key
    )


def _maker(name: str) -> Maker | None:
    """Whose model it is; None for one at the base URL, whose names may hold colons too."""
    prefix, colon, _ = name.partition(":")
    return Maker(prefix) if colon and prefix in _KEYS else None


def _checked(url: str, name: str) -> str:
    """A base URL that can be called, without a slash at its end; empty where it is not set."""
    try:
        parts = urlsplit(url)
        usable = not url or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(f"{name} is no URL that can be called: write one like http://127.0.0.1:11434/v1")
    return url.rstrip("/")
