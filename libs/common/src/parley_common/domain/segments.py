"""How many SMS segments a text costs: what carriers bill and what a sender's rate is counted in.

A segment holds 140 octets: 160 septets of GSM-7 or 70 units of UTF-16. A text of several segments loses six
octets of each to a header, which leaves 153 and 67. The counts are those of Twilio's own calculator; like it,
this keeps a visible character (an emoji with its skin tone, an escaped bracket) within one segment. It does
not know WhatsApp or MMS, which are not counted in segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from parley_common.domain.graphemes import split_graphemes

_BASIC = (
    "\n\r !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    "¡£¤¥§¿ÄÅÆÇÉÑÖØÜßàäåæèéìñòöøùüΓΔΘΛΞΠΣΦΨΩ"
)
_ESCAPED = "\f[\\]^{|}~€"
_NOT_GSM = re.compile(f"[^{re.escape(_BASIC + _ESCAPED)}]")
_ESCAPED_CHAR = re.compile(f"[{re.escape(_ESCAPED)}]")


class Encoding(StrEnum):
    """How a text travels; one character outside GSM-7 turns the whole text into UCS-2."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"

    @property
    def single_units(self) -> int:
        """What fits into a text of one segment."""
        return 160 if self is Encoding.GSM_7 else 70

    @property
    def part_units(self) -> int:
        """What fits into each segment of a longer text."""
        return 153 if self is Encoding.GSM_7 else 67


class Segments(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a text. ``units`` are septets in GSM-7 and UTF-16 code units in UCS-2, without headers."""

    encoding: Encoding
    segments: int
    units: int


def count_segments(text: str) -> Segments:
    """The size of a text as one message. An empty one is one segment, as in Twilio's calculator."""
    if is_gsm_7(text):
        return _count(Encoding.GSM_7, gsm_7_units(text), (gsm_7_units(char) for char in text))
    return _count(Encoding.UCS_2, utf_16_units(text), _ucs_2_pieces(text))


def is_gsm_7(text: str) -> bool:
    """Whether every character has a place in GSM-7 or its extension table."""
    return _NOT_GSM.search(text) is None


def find_non_gsm_7(text: str) -> tuple[str, ...]:
    """The characters that make a text UCS-2, each once, in the order of their first appearance."""
    return tuple(dict.fromkeys(_NOT_GSM.findall(text)))


def gsm_7_units(text: str) -> int:
    """The septets of a text that is GSM-7: one a character, two where it is escaped."""
    return len(text) + len(_ESCAPED_CHAR.findall(text))


def utf_16_units(text: str) -> int:
    """The UTF-16 code units of a text: two for what lies outside the basic plane."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _count(encoding: Encoding, units: int, pieces: Iterable[int]) -> Segments:
    segments = 1 if units <= encoding.single_units else _fill(pieces, encoding.part_units)
    return Segments(encoding=encoding, segments=segments, units=units)


def _fill(pieces: Iterable[int], room: int) -> int:
    """How many segments the pieces need when none may straddle two."""
    segments, used = 1, 0
    for piece in pieces:
        if used + piece > room:
            segments, used = segments + 1, 0
        used += piece
    return segments


def _ucs_2_pieces(text: str) -> Iterable[int]:
    """The units of each cluster; one that no segment could hold is taken apart into its characters."""
    for cluster in split_graphemes(text):
        units = utf_16_units(cluster)
        if units <= Encoding.UCS_2.part_units and cluster != "\r\n":
            yield units
        else:
            yield from (utf_16_units(char) for char in cluster)
