"""What an agent file says of a script."""

from __future__ import annotations

import msgspec

from parley_brains.wording import Words


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a keyword does: its answer, and one line for the menu. ``{text}`` stands for what follows the word."""

    reply: Words
    menu: str = ""
