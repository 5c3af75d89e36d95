"""What a run starts and the environment it starts it in, from the caller's environment alone.

Pure: reads no file, opens no port, starts nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from parley_common.channels import TWILIO_API, read_channels
from parley_common.settings import Environment, SettingsError, read_optional, read_text
from parley_common.shared_settings import read_common, read_limits, read_secret_keys
from parley_dev.addresses import HOST, Port, read_ports
from parley_dev.data_dir import Secrets

SIMULATED_NUMBER = "+15550100000"

_ONLY_WITH_AN_ACCOUNT = (
    "TWILIO_AUTH_TOKEN",
    "TWILIO_AUTH_TOKEN_NEXT",
    "TWILIO_WEBHOOK_SHARED_KEYS",
    "TWILIO_API_BASE_URL",
)
_ROOMS = ("PARLEY_STREAM_MAX_BYTES", "PARLEY_MEDIA_MAX_BYTES")
_ROOM_BYTES = 1024**3
"""The broker reserves so much for each stream, and a laptop's disk may not have what servers have."""

_ALLOWED = ("SMS_ALLOWED_USERS", "SMS_ALLOW_ALL_USERS")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run. ``ports`` has what this run itself opens; ``simulated`` means that no text leaves the machine."""

    environment: Mapping[str, str]
    data_dir: Path
    ports: Mapping[str, Port]
    own_broker: bool
    simulated: bool
    grace_s: float

    def url(self, name: str) -> str:
        """Where a process of this run answers."""
        return f"http://{HOST}:{self.ports[name].number}"


def make_plan(environment: Environment, data_dir: Path, secrets: Secrets) -> Plan:
    """Decides what runs and completes the environment; raises ``SettingsError``."""
    own_broker = read_optional(environment, "NATS_URL") is None
    simulated = read_optional(environment, "TWILIO_ACCOUNT_SID") is None
    ports = read_ports(environment)
    if not own_broker:
        del ports["nats"]
    if not simulated:
        del ports["simulator"]
    ours = _common(environment, data_dir, secrets)
    ours |= {port.variable: str(port.number) for port in ports.values()}
    if own_broker:
        ours["NATS_URL"] = f"nats://{HOST}:{ports['nats'].number}"
        ours |= {name: read_text(environment, name, str(_ROOM_BYTES)) for name in _ROOMS}
    ours |= _simulated(environment, secrets, ports) if simulated else _real(environment, ports)
    complete = {**environment, **ours}
    grace_s = read_common(complete).grace_s
    for read in (read_limits, read_channels, read_secret_keys):
        read(complete)  # they name what is wrong before anything starts
    return Plan(
        environment=complete,
        data_dir=data_dir,
        ports=ports,
        own_broker=own_broker,
        simulated=simulated,
        grace_s=grace_s,
    )


def _common(environment: Environment, data_dir: Path, secrets: Secrets) -> dict[str, str]:
    return {
        "PARLEY_HASH_KEY": read_text(environment, "PARLEY_HASH_KEY", secrets.hash_key),
        "PARLEY_SECRET_KEY": read_text(environment, "PARLEY_SECRET_KEY", secrets.secret_key),
        "PARLEY_API_KEY": read_text(environment, "PARLEY_API_KEY", secrets.api_key),
        "PARLEY_GRACE_S": read_text(environment, "PARLEY_GRACE_S", "8"),
        "PARLEY_LOG_FORMAT": read_text(environment, "PARLEY_LOG_FORMAT", "text"),
        "PARLEY_DATA_DIR": str(data_dir),
        "PARLEY_HOST": HOST,
        "PYTHONUNBUFFERED": "1",
    }


def _simulated(environment: Environment, secrets: Secrets, ports: Mapping[str, Port]) -> dict[str, str]:
    for name in _ONLY_WITH_AN_ACCOUNT:
        if read_optional(environment, name) is not None:
            raise SettingsError(
                f"{name} is set but TWILIO_ACCOUNT_SID is not: set both, or neither to use the simulator"
            )
    ours = {
        "TWILIO_ACCOUNT_SID": secrets.account_sid,
        "TWILIO_AUTH_TOKEN": secrets.auth_token,
        "TWILIO_PHONE_NUMBER": read_text(environment, "TWILIO_PHONE_NUMBER", SIMULATED_NUMBER),
        "TWILIO_API_BASE_URL": f"http://{HOST}:{ports['simulator'].number}",
        "PARLEY_PUBLIC_URL": read_text(environment, "PARLEY_PUBLIC_URL", _local_url(ports)),
    }
    if all(read_optional(environment, name) is None for name in _ALLOWED):
        ours["SMS_ALLOW_ALL_USERS"] = "true"
    return ours


def _real(environment: Environment, ports: Mapping[str, Port]) -> dict[str, str]:
    if read_optional(environment, "TWILIO_AUTH_TOKEN") is None:
        raise SettingsError(
            "TWILIO_ACCOUNT_SID is set but TWILIO_AUTH_TOKEN is not: set both, or neither to use the simulator"
        )
    api = read_text(environment, "TWILIO_API_BASE_URL", TWILIO_API)
    public_url = read_optional(environment, "PARLEY_PUBLIC_URL")
    if public_url is None and not _is_on_this_machine(api):
        raise SettingsError(
            "PARLEY_PUBLIC_URL is not set: set it to the address at which Twilio reaches"
            f" {_local_url(ports)}, such as that of a tunnel"
        )
    return {"PARLEY_PUBLIC_URL": public_url or _local_url(ports)}


def _local_url(ports: Mapping[str, Port]) -> str:
    return f"http://{HOST}:{ports['ingress'].number}"


def _is_on_this_machine(url: str) -> bool:
    """Whether whoever serves this address can call 127.0.0.1 and mean us."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
