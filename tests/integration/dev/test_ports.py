"""Ports that somebody else has, and ports that two processes want."""

from __future__ import annotations

import socket

import pytest

from harness.ports import free_port
from parley_common.settings import SettingsError
from parley_dev.addresses import VARIABLES, read_ports, refuse_taken


def ports(**changed: int) -> dict[str, str]:
    return {variable: str(changed.get(variable, free_port())) for variable in VARIABLES.values()}


def test_free_ports_are_accepted() -> None:
    refuse_taken(read_ports(ports()))


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("variable", VARIABLES.values())
def test_a_taken_port_is_named_with_its_variable(variable: str, address: str) -> None:
    with socket.create_server((address, 0)) as listener:
        number = listener.getsockname()[1]
        with pytest.raises(SettingsError) as refused:
            refuse_taken(read_ports(ports(**{variable: number})))
    assert str(refused.value) == f"port {number} is taken: end what uses it or set {variable} to another port"


def test_two_processes_cannot_have_one_port() -> None:
    both = ports(SMS_WEBHOOK_PORT=21_999, PARLEY_STATUS_PORT=21_999)
    with pytest.raises(SettingsError, match="are both 21999: set one of them to another port"):
        refuse_taken(read_ports(both))
