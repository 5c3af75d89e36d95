"""Twilio's own Python client, with its origins replaced by a simulator's."""

from typing import Any

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

SID = "AC" + "0a" * 16
TOKEN = "a token of no account"
SERVICE_SID = "MG" + "0b" * 16
US = "+15550100100"
PERSON = "+12025550111"


class RedirectedHttpClient(TwilioHttpClient):  # type: ignore[misc] # the library ships no types
    """Sends what is meant for Twilio to another origin."""

    def __init__(self, origin: str) -> None:
        super().__init__(timeout=15)
        self._origin = origin

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        for real in ("https://api.twilio.com", "https://messaging.twilio.com"):
            url = url.replace(real, self._origin)
        return super().request(method, url, *args, **kwargs)


def client_for(url: str, token: str = TOKEN) -> Client:
    """Return a client of the simulator at this address."""
    return Client(SID, token, http_client=RedirectedHttpClient(url))
