"""Which country a phone number belongs to, by the numbering plans of the phonenumbers library."""

from __future__ import annotations

import phonenumbers

COUNTRIES: frozenset[str] = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166-1 codes of two letters, as ``US``."""


def country_of(address: str) -> str | None:
    """The country of ``+15551234567`` or ``whatsapp:+15551234567``; None where the address tells none.

    Short codes, names and user ids tell none, nor do numbers of no country, as satellite phones have.
    """
    number = address.rpartition(":")[2]
    if not number.startswith("+"):
        return None
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    if region not in COUNTRIES:
        # An area code newer than the library: the calling code's main country is likelier than none.
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return region if region in COUNTRIES else None
