"""The phone numbers the account owns and the Messaging Service that may pool them.

Knows which number a service would use for a person; knows nothing of HTTP or messages.
"""

import hashlib
from collections.abc import Iterator

import msgspec

from parley_simulator.settings import Settings


class OwnedNumber(msgspec.Struct):
    """One number and the webhooks set on it; the fields are those of IncomingPhoneNumbers."""

    sid: str
    number: str
    created_at: float
    updated_at: float
    sms_url: str
    friendly_name: str = ""
    sms_method: str = "POST"
    sms_fallback_url: str = ""
    sms_fallback_method: str = "POST"
    status_callback: str = ""
    status_callback_method: str = "POST"


class Service(msgspec.Struct):
    """A Messaging Service: a pool of numbers behind one SID."""

    sid: str
    friendly_name: str
    created_at: float
    numbers: tuple[str, ...]
    status_callback: str = ""


class NumberBook:
    """All numbers and services of the account."""

    def __init__(self, settings: Settings, created_at: float) -> None:
        self._settings = settings
        self._created_at = created_at
        self._sticky: dict[tuple[str, str], str] = {}
        self.reset()

    def reset(self) -> None:
        """Go back to what the settings say."""
        self._numbers = {number: self._own(number) for number in self._settings.numbers}
        self._services: dict[str, Service] = {}
        self._sticky.clear()
        sid = self._settings.messaging_service_sid
        if sid:
            self._services[sid] = Service(sid, "Parley", self._created_at, self._settings.numbers)

    def __iter__(self) -> Iterator[OwnedNumber]:
        return iter(self._numbers.values())

    def get(self, number: str) -> OwnedNumber | None:
        """Return the owned number in E.164, or with the channel prefix of one of its senders."""
        return self._numbers.get(number.rpartition(":")[2])

    def by_sid(self, sid: str) -> OwnedNumber | None:
        """Return the owned number with this PN SID."""
        return next((number for number in self if number.sid == sid), None)

    @property
    def services(self) -> list[Service]:
        """The Messaging Services of the account."""
        return list(self._services.values())

    def service(self, sid: str) -> Service | None:
        """Return the service with this SID."""
        return self._services.get(sid)

    def service_of(self, number: str) -> Service | None:
        """Return the service whose pool has this number."""
        return next((service for service in self._services.values() if number in service.numbers), None)

    def pick(self, service: Service, person: str) -> str:
        """Return the number of the pool for this person: the same one every time."""
        known = self._sticky.get((service.sid, person))
        if known:
            return known
        place = int.from_bytes(hashlib.sha256(person.encode()).digest()[:4]) % len(service.numbers)
        return self.stick(service, person, service.numbers[place])

    def stick(self, service: Service, person: str, number: str) -> str:
        """Remember which number this person and the service use between them."""
        self._sticky[service.sid, person] = number
        return number

    def _own(self, number: str) -> OwnedNumber:
        return OwnedNumber(
            sid="PN" + hashlib.sha256(number.encode()).hexdigest()[:32],
            number=number,
            created_at=self._created_at,
            updated_at=self._created_at,
            sms_url=self._settings.inbound_url,
            friendly_name=number,
        )
