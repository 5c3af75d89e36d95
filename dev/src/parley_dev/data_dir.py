"""The directory that outlives a run: one run at a time, and secrets that are made once and kept.

Knows the files, not what the secrets are for.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from parley_common.settings import Environment, SettingsError, read_text

_SECRETS = "secrets.json"
_API_HEADER = "api-key.header"


class Secrets(msgspec.Struct, frozen=True):
    """What a run needs and nobody should have to invent. The account is the one the simulator plays.

    ``secret_key`` came with a later release: where a file has none, it gets one.
    """

    hash_key: str
    api_key: str
    account_sid: str
    auth_token: str
    secret_key: str = ""


def read_data_dir(environment: Environment) -> Path:
    """Where this run keeps what must last."""
    return Path(read_text(environment, "PARLEY_DATA_DIR", ".data")).absolute()


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Keeps other runs out of the directory, which is made where it is missing."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "run.lock").open("w")
    except OSError as error:
        raise SettingsError(f"PARLEY_DATA_DIR {data_dir} cannot be used: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"another run uses {data_dir}: stop it, or set PARLEY_DATA_DIR to another directory"
            ) from None
        yield


def read_secrets(data_dir: Path) -> Secrets:
    """The secrets of this directory, made at the first run and readable by their owner only."""
    path = data_dir / _SECRETS
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Secrets)
        return found if found.secret_key else _keep(path, msgspec.structs.replace(found, secret_key=_new_key()))
    except FileNotFoundError:
        return _keep(path, make_secrets())
    except PermissionError:
        raise SettingsError(f"{path} cannot be read by this user: use the one who made it") from None
    except msgspec.MsgspecError:
        # Not made anew: another hash key would forget every STOP.
        raise SettingsError(f"{path} is damaged: put it back from a backup, or remove {data_dir}") from None


def make_secrets() -> Secrets:
    """New secrets."""
    return Secrets(
        hash_key=_new_key(),
        api_key=_new_key(),
        account_sid=f"AC{secrets.token_hex(16)}",
        auth_token=secrets.token_hex(16),
        secret_key=_new_key(),
    )


def _new_key() -> str:
    return secrets.token_hex(32)


def _keep(path: Path, made: Secrets) -> Secrets:
    _write_private(path, msgspec.json.format(msgspec.json.encode(made)) + b"\n")
    return made


def write_api_header(data_dir: Path, api_key: str) -> Path:
    """A file for ``curl -H @FILE``, so that the key stands in no command line."""
    path = data_dir / _API_HEADER
    _write_private(path, f"Authorization: Bearer {api_key}\n".encode())
    return path


def _write_private(path: Path, content: bytes) -> None:
    """Writes all or nothing, readable by the owner only from the first byte on."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
