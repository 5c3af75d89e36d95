"""Where the broker is and who we are to it, by the variables that the ``nats`` command reads as well.

Knows no connection; ``bus`` makes those.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from parley_common.broker_user import BrokerUser, read_creds, read_nkey
from parley_common.settings import Environment, SettingsError, read_optional, read_port, read_text

DEFAULT_NATS_PORT = 4222

_WAYS = ("NATS_USER", "NATS_CREDS", "NATS_NKEY")


@dataclass(frozen=True)
class Broker:
    """``url``: one server or several, comma-separated. ``creds``, ``nkey``: files that say who we are.

    ``ca``, ``cert``, ``key``: files of PEM. All files are read anew at each connection. ``inbox_prefix``: of the
    subjects on which answers arrive, so that a user of few permissions may hear its own alone.
    """

    url: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    creds: Path | None = None
    nkey: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    inbox_prefix: str = "_INBOX"

    @property
    def shown(self) -> str:
        """Its address without the credentials that may stand in it."""
        # A password may hold what would end it in a URL: all before the last @ is none of the address.
        servers = (one.strip().rpartition("@")[2].rpartition("://")[2] for one in self.url.split(","))
        return ",".join(urlsplit(f"//{server}").netloc for server in servers)

    @property
    def who(self) -> str:
        """Who we are to it, in words that tell no secret."""
        if self.creds is not None:
            return f"the credentials in {self.creds}"
        if self.nkey is not None:
            return f"the nkey in {self.nkey}"
        return "who has no name" if self.user is None else f"user {self.user}"

    @property
    def mend(self) -> str:
        """What to do where it refuses us."""
        if self.creds is not None or self.nkey is not None:
            return "ask whoever runs it for a new file"
        if self.user is None:
            return "set NATS_USER and NATS_PASSWORD, NATS_CREDS or NATS_NKEY to what it knows"
        return "set NATS_USER and NATS_PASSWORD to what it knows"

    def file_user(self) -> BrokerUser | None:
        """Who the file says we are, None where none does. Raises ``SettingsError`` where it is no such thing."""
        if self.creds is not None:
            return read_creds(self.creds)
        return None if self.nkey is None else read_nkey(self.nkey)

    def tls(self) -> ssl.SSLContext | None:
        """How TLS is spoken, None for the system's way. Raises ``SettingsError`` where a file is no such thing."""
        if self.ca is None and self.cert is None:
            return None
        try:
            context = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except (ssl.SSLError, OSError) as error:
            raise SettingsError(
                f"NATS_CA, NATS_CERT or NATS_KEY cannot be used ({error.strerror or type(error).__name__}): "
                "each must be a file of PEM, and the key that of the certificate"
            ) from None
        return context


def read_broker(environment: Environment = os.environ) -> Broker:
    """Reads it, or says what is wrong."""
    port = read_port(environment, "PARLEY_NATS_PORT", DEFAULT_NATS_PORT)
    if len(given := [name for name in _WAYS if read_optional(environment, name)]) > 1:
        raise SettingsError(f"{given[0]} and {given[1]} are both set: keep the one that the broker knows")
    user, password = read_optional(environment, "NATS_USER"), read_optional(environment, "NATS_PASSWORD")
    if (user is None) != (password is None):
        missing, there = ("NATS_USER", "NATS_PASSWORD") if user is None else ("NATS_PASSWORD", "NATS_USER")
        raise SettingsError(f"{there} is set and {missing} is not: set both or neither")
    cert, key = _read_file(environment, "NATS_CERT"), _read_file(environment, "NATS_KEY")
    if (cert is None) != (key is None):
        missing, there = ("NATS_CERT", "NATS_KEY") if cert is None else ("NATS_KEY", "NATS_CERT")
        raise SettingsError(f"{there} is set and {missing} is not: set both or neither")
    broker = Broker(
        url=read_text(environment, "NATS_URL", f"nats://127.0.0.1:{port}"),
        user=user,
        password=password,
        creds=_read_file(environment, "NATS_CREDS"),
        nkey=_read_file(environment, "NATS_NKEY"),
        ca=_read_file(environment, "NATS_CA"),
        cert=cert,
        key=key,
        inbox_prefix=read_text(environment, "NATS_INBOX_PREFIX", "_INBOX"),
    )
    broker.file_user()
    broker.tls()
    return broker


def _read_file(environment: Environment, name: str) -> Path | None:
    text = read_optional(environment, name)
    if text is None:
        return None
    if not (path := Path(text)).is_file():
        raise SettingsError(f"{name} names {text}, where no file is: write the path of one")
    return path
