"""A reply as the brain wrote it becomes the parts that are texted, in what its network can show. Pure."""

from __future__ import annotations

import hashlib

from parley_common.domain.bodies import bodies
from parley_common.domain.phone_numbers import Network
from parley_common.events import Media, Reply

_MOST_MEDIA = 10
"""What Twilio takes with one MMS."""

_MOST_MEDIA_ON = {Network.WHATSAPP: 1, Network.MESSENGER: 1}
"""What it takes elsewhere with one message."""


def render(reply: Reply, most_parts: int, network: Network = Network.SMS) -> tuple[str, ...]:
    """The bodies of the reply's parts: none where nothing is left to say, empty ones for attachments alone.

    Attachments that do not fit onto the first part go with the following ones; ``most_parts`` is for text.
    """
    texts = bodies(reply.text, network, most_parts=most_parts)
    carriers = -(-len(reply.media) // _most_media(network))
    return texts + ("",) * (carriers - len(texts))


def media_of(reply: Reply, part: int, network: Network) -> tuple[Media, ...]:
    """The attachments that go with one part: as many as fit, from the first part on."""
    most = _most_media(network)
    return reply.media[part * most : (part + 1) * most]


def _most_media(network: Network) -> int:
    return _MOST_MEDIA_ON.get(network, _MOST_MEDIA)


def part_id(message_id: str, part: int) -> str:
    """The part's name: 32 hex digits, the same whoever sends it and however often."""
    return hashlib.sha256(f"{message_id}\0{part}".encode()).hexdigest()[:32]
