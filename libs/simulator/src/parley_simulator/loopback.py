"""Keeps web pages of strangers away from the control routes.

Whatever the simulator listens on, these routes are for who calls it by this machine's own name, be it through a
port-forward. But any page in the developer's browser can send requests to this machine. Such a request carries a
foreign Origin, or a Host name that was bent to 127.0.0.1.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

from parley_simulator.control_decoding import ControlError

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


def refuse_strangers(request: Request) -> None:
    """Raise ControlError for a request that another site's page sent."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if urlsplit(f"//{host}").hostname not in _HERE:
        raise ControlError("the simulator answers on this machine only", fix="use 127.0.0.1", status=403)
    if origin is not None and urlsplit(origin).netloc != host:
        raise ControlError("another site may not steer the simulator", fix="use its own page", status=403)
