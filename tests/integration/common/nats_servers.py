"""NATS servers that ask who one is: by password, nkey, JWT, over TLS with certificates of the test's own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nkeys  # type: ignore[import-untyped]

from harness.ports import free_port
from harness.running import Running
from parley_dev.addresses import HOST
from parley_dev.processes import Process
from parley_dev.readiness import GreetsAsBroker

_PREFIXES = {
    "operator": nkeys.PREFIX_BYTE_OPERATOR,
    "account": nkeys.PREFIX_BYTE_ACCOUNT,
    "user": nkeys.PREFIX_BYTE_USER,
}
_CREDS = """-----BEGIN NATS USER JWT-----
{jwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""


@dataclass
class Server:
    """One that runs. ``config`` is its file, without the line that says where it listens."""

    port: int
    path: Path
    running: Running

    @property
    def url(self) -> str:
        """Where it is."""
        return f"nats://{HOST}:{self.port}"

    def configure(self, config: str) -> None:
        """Writes its configuration anew; it takes effect with ``reload`` or a start."""
        self.path.write_text(f'listen: "{HOST}:{self.port}"\n{config}\n')

    def reload(self) -> None:
        """Has it read its configuration again."""
        self.running.signal(signal.SIGHUP)


@asynccontextmanager
async def server(directory: Path, config: str) -> AsyncIterator[Server]:
    """One that runs inside the block, with JetStream."""
    port, path = free_port(), directory / "nats.conf"
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    row = Process(name="nats", command=(str(binary), "-c", str(path)), ready=GreetsAsBroker(HOST, port))
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    one = Server(port, path, Running(row, environment, directory / "nats.log"))
    one.configure(config)
    await one.running.start()
    try:
        yield one
    finally:
        one.running.kill()


def store(directory: Path) -> str:
    """The configuration of JetStream."""
    return f'jetstream {{ store_dir: "{directory}/js" }}'


class Key:
    """A key pair of NATS."""

    def __init__(self, kind: str) -> None:
        self.seed = nkeys.encode_seed(os.urandom(32), _PREFIXES[kind])
        self.pair = nkeys.from_seed(self.seed)
        self.public: str = self.pair.public_key.decode()

    def write(self, path: Path) -> Path:
        """The seed as a file."""
        path.write_bytes(self.seed)
        return path


def _jwt(
    issuer: Key, subject: Key, name: str, claims: dict[str, Any], *, expires_in_s: float | None = None
) -> str:
    """What ``nsc`` would make: claims about ``subject``, signed by ``issuer``."""
    now = int(time.time())
    body: dict[str, Any] = {"iat": now, "iss": issuer.public, "name": name, "sub": subject.public}
    body["nats"] = {**claims, "version": 2}
    if expires_in_s is not None:
        body["exp"] = now + int(expires_in_s)
    digest = hashlib.new("sha512_256", json.dumps(body).encode()).digest()
    body["jti"] = base64.b32encode(digest).decode().rstrip("=")
    signed = f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part(body)}"
    return f"{signed}.{_encoded(issuer.pair.sign(signed.encode()))}"


def _account_claims(*, streams: bool) -> dict[str, Any]:
    """An account that may do all; that of the system must have no streams."""
    everything = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
    most = -1 if streams else 0
    room = {"mem_storage": most, "disk_storage": most, "streams": most, "consumer": most, "wildcards": True}
    return {"type": "account", "limits": everything | room, "default_permissions": {"pub": {}, "sub": {}}}


def _user_claims() -> dict[str, Any]:
    """A user that may do all."""
    return {"type": "user", "subs": -1, "data": -1, "payload": -1, "pub": {}, "sub": {}}


def creds(path: Path, account: Key, *, expires_in_s: float | None = None) -> Path:
    """A creds file of a new user of the account."""
    user = Key("user")
    token = _jwt(account, user, "agent", _user_claims(), expires_in_s=expires_in_s)
    path.write_text(_CREDS.format(jwt=token, seed=user.seed.decode()))
    return path


def operated(directory: Path, operator: Key, account: Key) -> str:
    """A server's configuration that trusts the operator and knows one account of it, and one for itself."""
    system = Key("account")
    known = {account: ("APP", True), system: ("SYS", False)}
    tokens = {
        key: _jwt(operator, key, name, _account_claims(streams=streams)) for key, (name, streams) in known.items()
    }
    (directory / "operator.jwt").write_text(_jwt(operator, operator, "O", {"type": "operator"}))
    preload = "\n".join(f"  {key.public}: {token}" for key, token in tokens.items())
    return (
        f'operator: "{directory}/operator.jwt"\nsystem_account: {system.public}\nresolver: MEMORY\n'
        f"resolver_preload: {{\n{preload}\n}}\n{store(directory)}"
    )


def make_certificates(directory: Path) -> None:
    """``ca.crt``, ``server.crt`` for 127.0.0.1, ``client.crt``, and another authority's ``other.crt``."""
    for name in ("ca", "other"):
        made = f"-x509 -subj /CN={name} -days 1 -keyout {name}.key -out {name}.crt"
        _openssl(directory, "req", *_NEW, *made.split())
    (directory / "names").write_text(f"subjectAltName=IP:{HOST}\n")
    for name in ("server", "client"):
        _openssl(directory, "req", *_NEW, *f"-subj /CN={name} -keyout {name}.key -out {name}.csr".split())
        signed = (
            f"-req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile names -out {name}.crt"
        )
        _openssl(directory, "x509", *signed.split())


_NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True, timeout=30)


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
