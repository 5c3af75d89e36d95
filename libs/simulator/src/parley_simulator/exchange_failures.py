"""What came of one HTTP exchange with the application, and Twilio's word for each way it can fail.

Translates errors of the HTTP client and statuses; the only file that knows the client's exceptions.
"""

from dataclasses import dataclass

import aiohttp

from parley_simulator.overrides import Failure


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange: an answer, or a failure with its debugger code and a sentence."""

    status: int | None = None
    failure: Failure | None = None
    code: int = 0
    words: str = ""
    content_type: str | None = None
    body: bytes = b""
    ms: float = 0.0
    attempts: int = 1


def failure_of_status(status: int) -> Failure | None:
    """Return the failure a status means; 3xx that was not followed counts as the client's fault."""
    if status >= 500:
        return Failure.SERVER_STATUS
    return Failure.CLIENT_STATUS if status >= 300 else None


def failure_of_error(error: Exception) -> Exchange:
    """Return the exchange that ended in this error."""
    failure, code, words = _classify(error)
    return Exchange(failure=failure, code=code, words=words)


def _classify(error: Exception) -> tuple[Failure, int, str]:
    match error:
        case aiohttp.ConnectionTimeoutError():
            return Failure.CONNECT, 11205, "the connection was not accepted in time"
        case TimeoutError():
            return Failure.READ, 11205, "no answer in time"
        case aiohttp.ClientConnectorDNSError():
            return Failure.CONNECT, 11210, "the host name is unknown"
        case aiohttp.ClientSSLError():
            return Failure.CONNECT, 11220, "the TLS handshake failed"
        case aiohttp.TooManyRedirects():
            return Failure.CLIENT_STATUS, 11215, "too many redirects"
        case aiohttp.ClientConnectorError():
            return Failure.CONNECT, 11205, "the connection was refused"
        case aiohttp.InvalidURL():
            return Failure.CLIENT_STATUS, 11100, "the address is not valid"
        case _:
            return Failure.CONNECT, 11205, "the connection was closed without an answer"
