"""Who we are to the broker where a file says it: a creds file (a user's JWT and seed), an nkey (a seed alone)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path

import nkeys  # type: ignore[import-untyped]

from parley_common.settings import SettingsError

_JWT = re.compile(rb"BEGIN NATS USER JWT-+\s+(?!-)(\S+)")
_SEED = re.compile(rb"BEGIN USER NKEY SEED-+\s+(?!-)(\S+)")


@dataclass(frozen=True)
class BrokerUser:
    """A user of the broker: the public key, what signs for it, and the JWT that vouches for it, if one does."""

    public: str
    seed: bytes = field(repr=False)
    jwt: bytes | None = field(default=None, repr=False)

    def sign(self, nonce: str) -> bytes:
        """What proves to the broker that the seed is ours, in base64."""
        return base64.b64encode(nkeys.from_seed(self.seed).sign(nonce.encode()))


def read_creds(path: Path) -> BrokerUser:
    """What a creds file says; raises ``SettingsError`` where it is empty, half written or none."""
    text = _read("NATS_CREDS", path)
    jwt, seed = _JWT.search(text), _SEED.search(text)
    if jwt is None or seed is None or (public := _public(seed[1])) is None:
        raise SettingsError(
            f"NATS_CREDS names {path}, which holds no JWT and seed of a user: put the whole creds file there"
        )
    return BrokerUser(public, seed[1], jwt[1])


def read_nkey(path: Path) -> BrokerUser:
    """What a file with a seed says; raises ``SettingsError`` where it is empty, half written or none."""
    seed = _read("NATS_NKEY", path).strip()
    if (public := _public(seed)) is None:
        raise SettingsError(f"NATS_NKEY names {path}, which holds no seed: put the seed of a user there, alone")
    return BrokerUser(public, seed)


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{name} names {path}, which cannot be read: {error.strerror}") from None


def _public(seed: bytes) -> str | None:
    try:
        return str(nkeys.from_seed(seed).public_key.decode())
    except (nkeys.NkeysError, ValueError):
        return None
