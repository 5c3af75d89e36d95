"""What an agent file says of the operator's own bot."""

from __future__ import annotations

import msgspec


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[webhook]``. ``form``: what is spoken with the bot, ``parley`` or ``rasa``."""

    url: str
    form: str = "parley"
    request_timeout_s: float = 10.0
