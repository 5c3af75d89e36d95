"""A simulator, an application behind it, and Twilio's own client in front of it."""

from collections.abc import Iterator

import httpx
import pytest
from twilio.rest import Client

from integration.simulator.application import Application, running_application
from integration.simulator.twilio_client import SERVICE_SID, SID, TOKEN, client_for
from parley_simulator.server import serving
from parley_simulator.settings import Settings

NUMBERS = ("+15550100100", "+15550100101")


@pytest.fixture
def application() -> Iterator[Application]:
    with running_application() as running:
        yield running


@pytest.fixture
def settings(application: Application) -> Settings:
    return Settings(account_sid=SID, auth_token=TOKEN, numbers=NUMBERS, public_url=application.url, port=0)


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as running:
        yield running


@pytest.fixture
def service_url(settings: Settings) -> Iterator[str]:
    """A simulator whose numbers are in the pool of a Messaging Service."""
    with_service = Settings(
        account_sid=SID,
        auth_token=TOKEN,
        numbers=NUMBERS,
        public_url=settings.public_url,
        messaging_service_sid=SERVICE_SID,
        port=0,
    )
    with serving(with_service) as running:
        yield running


@pytest.fixture
def twilio(url: str) -> Client:
    return client_for(url)


@pytest.fixture
def control(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/_simulator", timeout=20) as client:
        yield client


@pytest.fixture
def rest(url: str) -> Iterator[httpx.Client]:
    """The raw REST API with the right credentials."""
    base = f"{url}/2010-04-01/Accounts/{SID}"
    with httpx.Client(base_url=base, auth=(SID, TOKEN), timeout=20) as client:
        yield client
