"""The connection to one model, through the client of its maker. Which model it is may be asked of the server."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import msgspec
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelTimeoutError,
)
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from parley_brains.llm.endpoints import Endpoint, Maker
from parley_brains.origins import tell_no_urls

_CONNECT_S = 5.0
_NO_KEY = "none"
"""What the client sends to a server that wants no key; it refuses to send nothing."""


class _Listing(msgspec.Struct):
    id: str


class _Listed(msgspec.Struct):
    """What ``/models`` answers."""

    data: list[_Listing]


class Connection:
    """One model, as long as the process lives. ``thinks``: whether it may think as long as it likes.

    Nothing is said of that to a server of the operator's own: not all of them know the word.
    """

    def __init__(self, endpoint: Endpoint, *, thinks: bool) -> None:
        self.endpoint = endpoint
        self._settings = ModelSettings() if thinks else ModelSettings(thinking=False)
        self._http = _http_client()
        self._model = self._made(endpoint.model) if endpoint.model else None

    async def model(self, timeout_s: float) -> Model:
        """The model; the first that the server lists where none was named."""
        if self._model is None:
            self._model = self._made(await self._first(timeout_s))
        return self._model

    def forget(self) -> None:
        """The server does not know the model that it named before: it is asked again."""
        if not self.endpoint.model:
            self._model = None

    async def close(self) -> None:
        """Ends the connections."""
        await self._http.aclose()

    def _made(self, name: str) -> Model:
        match self.endpoint.maker:
            case Maker.ANTHROPIC:
                own = AnthropicProvider(anthropic_client=self._anthropic())
                return AnthropicModel(name, provider=own, settings=self._settings)
            case Maker.OPENAI:
                openai = OpenAIProvider(openai_client=self._openai())
                return OpenAIChatModel(name, provider=openai, settings=self._settings)
            case Maker.COMPATIBLE:
                # Ollama and others know only the older name of the limit. What a model thinks aloud is taken out
                # elsewhere: here a thought without an end would become an answer.
                profile = OpenAIModelProfile(
                    openai_chat_supports_max_completion_tokens=False, thinking_tags=("\0<think>", "\0</think>")
                )
                provider = OpenAICompatibleProvider(
                    Maker.COMPATIBLE, openai_client=self._openai(), profile=profile
                )
                return OpenAIChatModel(name, provider=provider)

    def _openai(self) -> AsyncOpenAI:
        return AsyncOpenAI(
            api_key=self.endpoint.key or _NO_KEY,
            base_url=self.endpoint.base_url,
            max_retries=0,
            http_client=self._http,
        )

    def _anthropic(self) -> AsyncAnthropic:
        return AsyncAnthropic(
            api_key=self.endpoint.key, base_url=self.endpoint.base_url, max_retries=0, http_client=self._http
        )

    async def _first(self, timeout_s: float) -> str:
        """The first model of the server's list; raises what a request to a model does."""
        key = self.endpoint.key or _NO_KEY
        try:
            answer = await self._http.get(
                f"{self.endpoint.base_url}/models",
                headers={"Authorization": f"Bearer {key}"},
                timeout=httpx2.Timeout(timeout_s, connect=_CONNECT_S),
            )
        except httpx2.TimeoutException as error:
            raise ModelTimeoutError("", "no answer") from error
        except httpx2.TransportError as error:
            raise ModelConnectionError("", "no connection") from error
        if answer.status_code != 200:
            category = ModelAuthenticationError if answer.status_code in (401, 403) else None
            raise ModelHTTPError.for_category(
                category, status_code=answer.status_code, model_name="", headers=dict(answer.headers)
            )
        return _first_of(answer.content)


def _first_of(data: bytes) -> str:
    try:
        listed = msgspec.json.decode(data, type=_Listed)
    except msgspec.DecodeError as error:
        raise ModelAPIError("", "no list of models") from error
    if not listed.data:
        raise ModelNotFoundError("", "the server lists no model")
    return listed.data[0].id


def _http_client() -> httpx2.AsyncClient:
    """No cookies and no redirects: texts go to the server that was named and to no other.

    The pool has no limit of its own; whoever asks bounds the requests at one time.
    """
    tell_no_urls()
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(60.0, connect=_CONNECT_S),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=100),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
    )
