"""The addresses a local run takes, and whether they are free. Knows no process, only ports and their variables."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from parley_common.broker import DEFAULT_NATS_PORT
from parley_common.settings import Environment, SettingsError, read_port

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port and the variable that moves it."""

    variable: str
    number: int


_DEFAULTS = {
    "nats": Port(variable="PARLEY_NATS_PORT", number=DEFAULT_NATS_PORT),
    "simulator": Port(variable="PARLEY_SIMULATOR_PORT", number=8082),
    "ingress": Port(variable="SMS_WEBHOOK_PORT", number=8080),
    "agent": Port(variable="PARLEY_AGENT_PORT", number=8083),
    "egress": Port(variable="PARLEY_EGRESS_PORT", number=8084),
    "status": Port(variable="PARLEY_STATUS_PORT", number=8081),
}

VARIABLES: Mapping[str, str] = {name: port.variable for name, port in _DEFAULTS.items()}


def read_ports(environment: Environment) -> dict[str, Port]:
    """The port of every process by its name."""
    return {
        name: Port(variable=port.variable, number=read_port(environment, port.variable, port.number))
        for name, port in _DEFAULTS.items()
    }


def refuse_taken(ports: Mapping[str, Port]) -> None:
    """Raises ``SettingsError`` for the first port that two processes want or somebody else has."""
    owners: dict[int, Port] = {}
    for port in ports.values():
        other = owners.setdefault(port.number, port)
        if other is not port:
            raise SettingsError(
                f"{other.variable} and {port.variable} are both {port.number}: set one of them to another port"
            )
        _refuse_if_taken(port)


def _refuse_if_taken(port: Port) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port.number))
        except PermissionError:
            raise SettingsError(
                f"port {port.number} needs more rights than this user has: set {port.variable} to another port"
            ) from None
        except OSError:
            raise SettingsError(
                f"port {port.number} is taken: end what uses it or set {port.variable} to another port"
            ) from None
