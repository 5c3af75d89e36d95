"""Who may use the API: whoever holds the key. Knows HTTP and no route."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from parley_status.problems import answer

_SCHEME = b"bearer"


class KeyRequired:
    """Lets requests through that carry the key as a bearer token; answers 401 to all others."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app = app
        self._api_key = api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or self._allows(Headers(scope=scope).get("authorization")):
            await self._app(scope, receive, send)
            return
        refusal = answer(
            401,
            "unauthorized",
            "This needs the API key: send the header Authorization: Bearer <PARLEY_API_KEY>.",
            {"WWW-Authenticate": 'Bearer realm="parley"'},
        )
        await refusal(scope, receive, send)

    def _allows(self, header: str | None) -> bool:
        scheme, _, token = (header or "").encode("latin-1").partition(b" ")
        return scheme.lower() == _SCHEME and hmac.compare_digest(token.strip(), self._api_key)
