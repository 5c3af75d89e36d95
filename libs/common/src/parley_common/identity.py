"""Keyed hashes that stand for people and senders wherever a number may not stand.

The key is a secret of its own and never changes: under another key every conversation would be a new one and
every STOP forgotten. This module knows no environment and no broker.
"""

from __future__ import annotations

import hashlib
import hmac

_HEX_DIGITS = 32


class Identity:
    """Hashes addresses under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def conversation(self, channel: str, contact: str) -> str:
        """The conversation of a person with a channel: 32 hex digits."""
        return self._digest("conversation", channel, contact)

    def consent(self, scope: str, contact: str) -> str:
        """The consent of a person towards a number or Messaging Service: 32 hex digits."""
        return self._digest("consent", scope, contact)

    def sender(self, account_sid: str, sender: str) -> str:
        """A number or Messaging Service of an account: 32 hex digits."""
        return self._digest("sender", account_sid, sender)

    def fingerprint(self) -> str:
        """A name for the key that tells keys apart and nothing of the key: 32 hex digits."""
        return self._digest("sender", "backup", "key")

    def _digest(self, *parts: str) -> str:
        message = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:_HEX_DIGITS]
