"""Phone numbers made unreadable before they reach a log: ``+1555•••4567``.

``redact_number`` is for a value known to be an address. ``redact_text`` is the last line of defence behind it: it
masks whatever looks like a phone number in any text, and would rather mask a counter than show a number. It
spares what operators search for: SIDs, hex ids, UUIDs, times, durations and IP addresses.
"""

from __future__ import annotations

import re

MASK = "•••"

_LEAST_HIDDEN = 3
_PREFIXED = re.compile(
    r"(?P<prefix>(?:whatsapp|messenger|rcs|sms|tel):)?(?P<plus>\+?)(?P<rest>.*)", re.DOTALL | re.I
)
_SEPARATOR = r"[\s().\-/\u2010-\u2015]"
_NUMBER = re.compile(rf"(?:\d|{_SEPARATOR})*")
_PHONE_LIKE = re.compile(r"\+?\d(?:[ \u00a0().\-/\u2010-\u2015]{0,3}\d){6,}")
_TWO_DIGIT_COUNTRY = re.compile("2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_SPARED = re.compile(
    r"""(
      (?<![0-9A-Za-z]) [A-Z]{2}[0-9a-f]{32} (?![0-9A-Za-z])                              # SID
    | (?<![0-9A-Za-z]) [0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12} (?![0-9A-Za-z])       # UUID
    | (?<![0-9A-Za-z]) (?=[0-9]*[a-f]) [0-9a-f]{16,} (?![0-9A-Za-z])                     # hex id
    | (?<![\d.+)\-]) (?<![\d)][\ /]) (?:
        (?:19|20)\d\d([-/])[01]\d\2[0-3]\d (?:[T\ ][0-2]\d:[0-5]\d(?::[0-6]\d)?(?:[.,]\d{1,9})?
          (?:Z|[+-]\d\d:?\d\d)?)? (?![\d\-])(?!/\d)                                          # date, time
      | [0-2]\d:[0-5]\d:[0-6]\d[.,]\d{1,9} (?!\d)                                        # time of day
      | OCTET(?:\.OCTET){3} (?![\d.])                                                    # IPv4
      | \d+(?:\.\d+)?(?:ns|us|µs|ms|s) (?![0-9A-Za-z])                                   # duration
      | (?:\d{1,2}|\d{4,5})\.\d+ (?![\d.\-/]) (?!\ [\d(])                                # decimal fraction
      )
    )""".replace("OCTET", _OCTET),
    re.VERBOSE,
)


def redact_number(address: str) -> str:
    """An address with its middle hidden: at most country, three digits and the last four are shown.

    Short codes show two digits, words and ids without a plus sign less than a number does, junk nothing.
    """
    parts = _PREFIXED.fullmatch(address.strip())
    if parts is None or not _NUMBER.fullmatch(parts["rest"]):
        return MASK if parts is None else (parts["prefix"] or "") + MASK
    digits = "".join(filter(str.isdigit, parts["rest"]))
    shown = _head(digits) if parts["plus"] else ""
    return f"{parts['prefix'] or ''}{parts['plus'] if shown else ''}{shown}{MASK}{_tail(digits)}"


def redact_text(text: str) -> str:
    """The text with every run of seven or more digits masked that could be a phone number."""
    if sum(map(text.count, "0123456789")) < 7 and text.isascii():
        return text
    pieces: list[str] = []
    end = 0
    for spared in _SPARED.finditer(text):
        pieces += (_mask_phones(text[end : spared.start()]), spared[0])
        end = spared.end()
    return "".join((*pieces, _mask_phones(text[end:])))


def _mask_phones(text: str) -> str:
    return _PHONE_LIKE.sub(lambda match: redact_number(match[0]), text)


def _head(digits: str) -> str:
    """The country code and three digits, or fewer where that would leave too little hidden."""
    return digits[: max(0, min(_country_digits(digits) + 3, len(digits) - len(_tail(digits)) - _LEAST_HIDDEN))]


def _tail(digits: str) -> str:
    if len(digits) >= 10:
        return digits[-4:]
    return digits[-2:] if len(digits) >= 5 else ""


def _country_digits(digits: str) -> int:
    if digits[:1] in {"1", "7"}:
        return 1
    return 2 if _TWO_DIGIT_COUNTRY.match(digits) else 3
