"""What an agent file says of the operator's own bot."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Retries = Annotated[int, msgspec.Meta(ge=0, le=10)]
Past = Annotated[int, msgspec.Meta(ge=0, le=20)]
InlineBytes = Annotated[int, msgspec.Meta(ge=0, le=5_000_000)]


class Form(StrEnum):
    """What is spoken with the bot: the form of ``docs/webhook-brain.md``, or that of Rasa's REST channel."""

    PARLEY = "parley"
    RASA = "rasa"


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table ``[webhook]``.

    ``url``: where the bot listens; the environment's PARLEY_WEBHOOK_URL comes first. ``${NAME}`` in it and in
    ``headers`` stands for a variable of the environment. ``request_timeout_s``: of one request, in seconds; all of
    them together have the ``within_s`` of ``[reply]``. ``retries``: how many requests may follow a failed one.

    ``past``: how many earlier turns the bot is told. ``inline_bytes``: how many bytes of attachments go along with
    a turn. ``contact``: whether the bot is told the person's number and name; without it Rasa is not.
    """

    url: str = ""
    form: Form = Form.PARLEY
    request_timeout_s: Seconds = 10.0
    retries: Retries = 2
    headers: dict[str, str] = {}
    past: Past = 0
    inline_bytes: InlineBytes = 0
    contact: bool | None = None

    @property
    def tells_contact(self) -> bool:
        """Whether the bot is told who the person is."""
        return self.form is Form.PARLEY if self.contact is None else self.contact
