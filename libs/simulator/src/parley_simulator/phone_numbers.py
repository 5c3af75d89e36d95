"""What counts as an address of a phone: E.164 numbers, short codes, channel prefixes.

Pure. Knows no numbering plan beyond lengths; whether somebody owns a number is told by `numbers`.
"""

import re

_E164 = re.compile(r"\+[1-9]\d{6,14}\Z")
_SHORT_CODE = re.compile(r"\d{3,8}\Z")
_CHANNEL = re.compile(r"(whatsapp|messenger|rcs):(?P<rest>.+)\Z")
_PUNCTUATION = re.compile(r"[\s().-]")
_TOLL_FREE = ("800", "833", "844", "855", "866", "877", "888")


def normalize(address: str) -> str | None:
    """Return the address as Twilio stores it, or None where no phone can have it.

    `(555) 010-0100` with a country code is accepted in the usual writings; a channel prefix is kept.
    """
    channel = _CHANNEL.match(address)
    if channel:
        rest = normalize(channel["rest"])
        return f"{channel[1]}:{rest}" if rest else None
    plain = _PUNCTUATION.sub("", address)
    if _E164.match(plain) or _SHORT_CODE.match(plain):
        return plain
    if re.fullmatch(r"1?[2-9]\d{9}", plain):
        return "+1" + plain[-10:]
    return None


def is_e164(address: str) -> bool:
    """Whether the address is a plain `+<country><number>`."""
    return bool(_E164.match(address))


def is_toll_free(address: str) -> bool:
    """Whether a North American carrier handles STOP itself for this sender."""
    return address.startswith("+1") and address[2:5] in _TOLL_FREE
