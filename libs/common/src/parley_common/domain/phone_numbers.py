"""Addresses as Twilio writes them, and how fast each type of sender may send.

``+15551234567`` is a phone, ``384387`` a short code, ``ACME`` a sender name nobody can answer, and ``whatsapp:``,
``messenger:`` and ``rcs:`` lead addresses of other channels. Errors say what is wrong without repeating the
number. This module knows no numbering plan beyond lengths and the codes of North America.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec


class Network(StrEnum):
    """What carries a message."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    RCS = "rcs"


class AddressForm(StrEnum):
    """How an address names its owner."""

    E164 = "e164"
    SHORT_CODE = "short_code"
    NAME = "name"
    USER_ID = "user_id"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a conversation. ``value`` is the address without its channel's prefix."""

    network: Network
    form: AddressForm
    value: str

    def __str__(self) -> str:
        return self.value if self.network is Network.SMS else f"{self.network}:{self.value}"

    @property
    def can_be_answered(self) -> bool:
        """A name can only send."""
        return self.network is not Network.SMS or self.form is not AddressForm.NAME


class AddressError(ValueError):
    """This is no address that Twilio could send to or from."""


class EmptyAddressError(AddressError):
    """There is nothing where an address should be."""


class InvalidE164Error(AddressError):
    """A phone number that is not in the international form."""


class InvalidSenderNameError(AddressError):
    """Neither a number nor a sender name."""


class SenderType(StrEnum):
    """What Twilio's default rates distinguish."""

    SHORT_CODE = "short_code"
    TOLL_FREE = "toll_free"
    US_CA_LONG_CODE = "us_ca_long_code"
    OTHER = "other"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    RCS = "rcs"

    @property
    def segments_per_s(self) -> float:
        """Twilio's default rate. Outside SMS it counts messages; Messenger has no published one."""
        return _SEGMENTS_PER_S[self]


_SEGMENTS_PER_S = {
    SenderType.SHORT_CODE: 100.0,
    SenderType.TOLL_FREE: 3.0,
    SenderType.US_CA_LONG_CODE: 1.0,  # a 10DLC campaign may have more; an operator sets it
    SenderType.OTHER: 10.0,
    SenderType.WHATSAPP: 80.0,
    SenderType.MESSENGER: 10.0,
    SenderType.RCS: 100.0,
}

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_\-]{1,11}")
_USER_ID = re.compile(r"[^\s:]{1,255}")
_WRITTEN_NUMBER = re.compile(r"[0-9\s().\-/]*")
_SEPARATORS = re.compile(r"[\s().\-/]")
_TOLL_FREE_AREAS = frozenset({"800", "833", "844", "855", "866", "877", "888"})
# +1, but neither the United States nor Canada
_ISLAND_AREA = re.compile("242|246|26[48]|284|345|441|473|649|658|664|721|758|767|784|8[024]9|86[89]|876")


def parse_e164(text: str) -> str:
    """A phone number as ``+15551234567``; spaces, brackets, dots and dashes are taken out.

    Raises ``EmptyAddressError`` or ``InvalidE164Error``.
    """
    number = _SEPARATORS.sub("", text)
    if not number:
        raise EmptyAddressError("the phone number is empty; write it like +15551234567")
    if _E164.fullmatch(number):
        return number
    raise InvalidE164Error(f"{_fault(number)}; write it with + and country code, like +15551234567")


def parse_address(text: str) -> Address:
    """The address that Twilio means by this text; raises an ``AddressError`` that says what to change."""
    prefix, colon, rest = text.strip().partition(":")
    if colon:
        return _parse_prefixed(prefix.lower(), rest.strip())
    if _SHORT_CODE.fullmatch(prefix):
        return Address(network=Network.SMS, form=AddressForm.SHORT_CODE, value=prefix)
    if prefix.startswith("+") or _WRITTEN_NUMBER.fullmatch(prefix):
        return Address(network=Network.SMS, form=AddressForm.E164, value=parse_e164(prefix))
    if _NAME.fullmatch(prefix):
        return Address(network=Network.SMS, form=AddressForm.NAME, value=prefix)
    raise InvalidSenderNameError(
        "the address is neither a phone number like +15551234567 nor a sender name of up to 11 letters and digits"
    )


def network_of(address: str) -> Network:
    """What carries messages to an address that Twilio has written; SMS where nothing says otherwise."""
    prefix, colon, _ = address.partition(":")
    return Network(prefix) if colon and prefix in set(Network) else Network.SMS


def sender_type(address: Address) -> SenderType:
    """Which default rate applies to a sender."""
    if address.network is not Network.SMS:
        return SenderType(address.network)
    if address.form is AddressForm.SHORT_CODE:
        return SenderType.SHORT_CODE
    if is_toll_free(address.value):
        return SenderType.TOLL_FREE
    in_north_america = re.fullmatch(r"\+1[0-9]{10}", address.value)
    if in_north_america and not _ISLAND_AREA.match(address.value, 2):
        return SenderType.US_CA_LONG_CODE
    return SenderType.OTHER


def is_toll_free(number: str) -> bool:
    """Whether a number is a toll-free one of North America, whose carrier handles STOP itself."""
    return number.startswith("+1") and len(number) == 12 and number[2:5] in _TOLL_FREE_AREAS


def _parse_prefixed(prefix: str, rest: str) -> Address:
    if prefix not in {Network.WHATSAPP, Network.MESSENGER, Network.RCS}:
        raise AddressError("the address starts with an unknown channel; use whatsapp:, messenger: or rcs:")
    network = Network(prefix)
    if not rest:
        raise EmptyAddressError(f"nothing follows {prefix}: in the address")
    if rest.startswith("+"):
        return Address(network=network, form=AddressForm.E164, value=parse_e164(rest))
    if network is Network.WHATSAPP and _WRITTEN_NUMBER.fullmatch(rest):
        raise InvalidE164Error("the number after whatsapp: lacks its +; write it like whatsapp:+15551234567")
    if not _USER_ID.fullmatch(rest):
        raise AddressError(f"what follows {prefix}: is no user id: it holds spaces or colons, or is too long")
    return Address(network=network, form=AddressForm.USER_ID, value=rest)


def _fault(number: str) -> str:
    digits = number.removeprefix("+")
    if not digits.isascii() or not digits.isdigit():
        return "the phone number holds something other than digits"
    if not number.startswith("+"):
        return f"the phone number has no + before its {len(digits)} digits"
    if digits.startswith("0"):
        return "the phone number has a 0 where its country code should begin"
    return f"the phone number has {len(digits)} digits; numbers have 7 to 15"
