"""Markdown becomes the bodies that are texted, in what their network can show. Pure."""

from __future__ import annotations

from parley_common.domain.phone_numbers import Network
from parley_common.domain.plain_text import to_plain_text
from parley_common.domain.smart_punctuation import to_gsm_punctuation
from parley_common.domain.splitting import split_text
from parley_common.domain.whatsapp_text import whatsapp_parts


def bodies(markdown: str, network: Network, *, most_parts: int) -> tuple[str, ...]:
    """The parts of a text as they arrive at a phone; none where nothing is left to say."""
    if network is Network.WHATSAPP:
        return whatsapp_parts(markdown, max_parts=most_parts)
    plain = to_plain_text(markdown)
    return split_text(to_gsm_punctuation(plain) if network is Network.SMS else plain, max_parts=most_parts)
