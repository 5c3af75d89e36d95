"""Serving one simulator: in the foreground, or in a thread for tests.

Knows the port and the HTTP server; the application itself is in `app`.
"""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from parley_simulator.app import build_app
from parley_simulator.settings import Settings, SettingsError
from parley_simulator.simulator import Simulator

_START_WITHIN_S = 15.0
_STOP_WITHIN_S = 5


class ResettableProtocol(HttpToolsProtocol):
    """Hands each request its connection, so that a scripted fault can break it."""

    def on_message_begin(self) -> None:
        """Add the transport to the request's state."""
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


class SimulatorServer(uvicorn.Server):
    """A server that ends event streams before it waits for open requests."""

    def __init__(self, config: uvicorn.Config, simulator: Simulator) -> None:
        super().__init__(config)
        self._simulator = simulator
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so to whoever waits in another thread."""
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the event feed, then everything else."""
        self._simulator.feed.close()
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop."""
    server, listener = _prepare(settings)

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    # The server stops in an orderly way by itself and then raises the signal again: this one hears it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    sys.stdout.write(f"parley_simulator: phone page and REST API on {_address(listener)}/\n")
    sys.stdout.flush()
    server.run(sockets=[listener])


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve in a thread for as long as the block runs and give the address; port 0 takes a free one."""
    server, listener = _prepare(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    if not server.up.wait(_START_WITHIN_S):
        raise SettingsError(f"The simulator did not start within {_START_WITHIN_S:.0f} s.")
    try:
        yield _address(listener)
    finally:
        server.should_exit = True
        thread.join(_STOP_WITHIN_S + 5)


def _prepare(settings: Settings) -> tuple[SimulatorServer, socket.socket]:
    listener = _listen(settings.host, settings.port)
    simulator = Simulator(settings)
    simulator.origin = settings.origin or _address(listener)
    config = uvicorn.Config(
        build_app(simulator),
        http=ResettableProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_STOP_WITHIN_S,
        backlog=2_048,
    )
    return SimulatorServer(config, simulator), listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2_048)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"Port {port} on {host} cannot be used ({error.strerror}); choose another with PARLEY_SIMULATOR_PORT."
        ) from error
    return listener
