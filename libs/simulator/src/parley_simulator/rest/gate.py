"""What every REST request passes: credentials, concurrency, scripted faults of the connection, the log.

Knows nothing of the resources behind it.
"""

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable
from socket import SO_LINGER, SOL_SOCKET

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from parley_simulator.api_errors import ApiError, code_of_status
from parley_simulator.faults import Fault, Rule, find
from parley_simulator.messages import new_sid, now
from parley_simulator.request_log import Entry, Kind
from parley_simulator.rest.shapes import error_response
from parley_simulator.simulator import Simulator

Handler = Callable[[Simulator, Request], Awaitable[Response]]
_ENOUGH_S = 3_600.0


class ResetError(Exception):
    """A scripted fault: close the connection without an answer."""


class ScriptedAnswerError(Exception):
    """A scripted fault: answer this instead."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def simulator_of(request: Request) -> Simulator:
    """Return the simulator behind the application."""
    simulator = request.app.state.simulator
    assert isinstance(simulator, Simulator)
    return simulator


def guarded(handler: Handler, kind: Kind = Kind.REST) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that checks a request, calls the handler and logs the exchange."""

    async def endpoint(request: Request) -> Response:
        simulator = simulator_of(request)
        started = time.perf_counter()
        simulator.rest_in_flight += 1
        try:
            response = await _answer(handler, simulator, request)
        except ResetError:
            await _reset(request)
            response = Response(status_code=500)
            _write(simulator, request, kind=kind, status=None, started=started)
        else:
            _write(simulator, request, kind=kind, status=response.status_code, started=started)
        finally:
            simulator.rest_in_flight -= 1
        response.headers["Twilio-Request-Id"] = new_sid("RQ")
        response.headers["Twilio-Concurrent-Requests"] = str(simulator.rest_in_flight + 1)
        return response

    return endpoint


async def strike_before(rules: list[Rule]) -> None:
    """Make the faults happen that come before the request is looked at."""
    wait = find(rules, Fault.DELAY)
    if wait:
        await asyncio.sleep(1.0 if wait.delay_s is None else wait.delay_s)
    if find(rules, Fault.RESET_BEFORE):
        raise ResetError
    if find(rules, Fault.HTML_429):
        raise ScriptedAnswerError(HTMLResponse("<html><h1>429 Too Many Requests</h1></html>", status_code=429))
    answer = find(rules, Fault.STATUS)
    if answer:
        raise scripted_error(answer)


def scripted_error(rule: Rule) -> ApiError:
    """Return the error a rule names by status and code."""
    return ApiError(rule.code or code_of_status(rule.status), status=rule.status)


async def _answer(handler: Handler, simulator: Simulator, request: Request) -> Response:
    try:
        return await _checked(handler, simulator, request)
    except ApiError as error:
        return error_response(error)
    except ScriptedAnswerError as answer:
        return answer.response


async def _checked(handler: Handler, simulator: Simulator, request: Request) -> Response:
    if not simulator.account.accepts(request.headers.get("authorization", "")):
        raise ApiError(20003)
    sid = request.path_params.get("account_sid")
    if sid is not None and sid != simulator.account.sid:
        raise ApiError(20404, request.url.path)
    tuning = simulator.tuning
    if tuning.rest_concurrency is not None and simulator.rest_in_flight > tuning.rest_concurrency:
        raise ApiError(20429)
    if tuning.rest_latency_s:
        await asyncio.sleep(tuning.rest_latency_s)
    return await handler(simulator, request)


async def _reset(request: Request) -> None:
    """Close the TCP connection at once; the peer sees a reset."""
    transport = request.scope["state"]["transport"]
    if transport.is_closing():
        return
    sock = transport.get_extra_info("socket")
    sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await asyncio.wait_for(request.receive(), _ENOUGH_S))["type"] != "http.disconnect":
        """Until the server has noticed: it then drops the answer instead of complaining."""


def _write(simulator: Simulator, request: Request, *, kind: Kind, status: int | None, started: float) -> None:
    log = simulator.log
    log.write(
        Entry(
            number=log.next_number(),
            at=now(),
            kind=kind,
            method=request.method,
            url=request.scope["path"],
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            sid=request.path_params.get("sid", "").removesuffix(".json"),
            note="" if status is not None else "connection reset by a scripted fault",
        )
    )
