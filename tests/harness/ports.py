"""Ports that nobody uses, for tests that run beside one another."""

from __future__ import annotations

import random
import socket

from parley_dev.addresses import HOST

# Below the range from which the kernel takes the ports of outgoing connections.
_FROM, _TO = 20_000, 32_000
_given: set[int] = set()


def free_port() -> int:
    """A port that was free when asked, and is given once only in this process."""
    while True:
        port = random.randint(_FROM, _TO)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
