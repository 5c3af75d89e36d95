"""The account the simulator plays: its SID, its auth tokens, an optional shared key.

Knows which credentials REST accepts and which secret signs webhooks; does no HTTP itself.
"""

import base64
import hmac

import msgspec


class SharedKey(msgspec.Struct, frozen=True):
    """A key of the webhook settings API: webhooks are then signed with it by HMAC-SHA256."""

    key: str
    secret: str


class Account:
    """One account with a primary and at most one secondary auth token."""

    def __init__(self, sid: str, auth_token: str) -> None:
        self.sid = sid
        self._first_token = auth_token
        self.primary = auth_token
        self.secondary: str | None = None
        self.shared_key: SharedKey | None = None

    def accepts(self, authorization: str) -> bool:
        """Whether a Basic authorization header names this account and one of its tokens."""
        tokens = [self.primary, self.secondary] if self.secondary else [self.primary]
        return any(hmac.compare_digest(authorization.encode(), self._header(token)) for token in tokens)

    def promote(self) -> bool:
        """Make the secondary token the primary; the old one is refused from now on."""
        if not self.secondary:
            return False
        self.primary, self.secondary = self.secondary, None
        return True

    def reset(self) -> None:
        """Return to the token of the settings."""
        self.primary, self.secondary, self.shared_key = self._first_token, None, None

    def _header(self, token: str) -> bytes:
        return b"Basic " + base64.b64encode(f"{self.sid}:{token}".encode())
