"""The phone page and the health routes.

The page is plain files of this package; it talks to the control routes.
"""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

_FOLDER = Path(__file__).parent / "page"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_routes() -> list[BaseRoute]:
    """Return the routes of the page and of health."""
    return [
        Route("/", _page),
        Route("/livez", _healthy),
        Route("/readyz", _healthy),
        Mount("/page", StaticFiles(directory=_FOLDER)),
    ]


async def _page(_: Request) -> Response:
    headers = {
        "Content-Security-Policy": _POLICY,
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    return FileResponse(_FOLDER / "index.html", headers=headers)


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok\n")
