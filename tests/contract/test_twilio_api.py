"""Egress sees the same of Twilio whether the simulator or the stub of the tests plays it.

What the stub answers in a test is only worth something if a fuller Twilio would answer so too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

import pytest

from integration.egress.twilio_stub import TwilioStub, cut_off, hang, refuse, running_stub, say
from integration.egress.workbench import ACCOUNT, NUMBER, PERSON, THE_CLIENTS_WARNINGS, channel, send_settings
from parley_common.channels import Channel
from parley_common.events import FailureClass
from parley_egress.listing import Log, NoLog
from parley_egress.outcome import Created, InDoubt, NotSent, Outcome
from parley_egress.twilio_api import Text, TwilioApi
from parley_simulator.control import SimulatorControl
from parley_simulator.faults import Fault, Place, Rule
from parley_simulator.server import serving
from parley_simulator.settings import Settings

LONG_AGO = datetime.fromtimestamp(0, UTC)

pytestmark = [pytest.mark.anyio, *THE_CLIENTS_WARNINGS]

TIMEOUT_S = 0.5


class Side(Protocol):
    """Whoever plays Twilio."""

    @property
    def url(self) -> str: ...

    async def fail_next(self, how: str) -> None:
        """The next create goes wrong in this way."""

    async def hide_log(self) -> None:
        """The log cannot be read."""

    async def created(self) -> int:
        """How many messages there are."""


class Stub:
    """The stub of the tests."""

    def __init__(self, stub: TwilioStub) -> None:
        self._stub = stub
        self.url = stub.url

    async def fail_next(self, how: str) -> None:
        answers = {
            "20429": refuse(429, 20429),
            "html 429": say(429, "<html>slow down</html>"),
            "500": refuse(500, 20500),
            "reset before": cut_off(creates=False),
            "reset after": cut_off(creates=True),
            "silence": hang(creates=True),
            "500 after": say(500, "", creates=True),
            "21610": refuse(400, 21610),
            "21211": refuse(400, 21211),
        }
        self._stub.script.append(answers[how])

    async def hide_log(self) -> None:
        self._stub.log_status = 503

    async def created(self) -> int:
        return len(self._stub.created)


class Simulated:
    """The simulator."""

    def __init__(self, url: str, control: SimulatorControl) -> None:
        self.url = url
        self._control = control

    async def fail_next(self, how: str) -> None:
        faults: dict[str, tuple[Fault, int, int | None]] = {
            "20429": (Fault.STATUS, 429, 20429),
            "html 429": (Fault.HTML_429, 503, None),
            "500": (Fault.STATUS, 500, 20500),
            "reset before": (Fault.RESET_BEFORE, 503, None),
            "reset after": (Fault.RESET_AFTER_CREATE, 503, None),
            "silence": (Fault.TIMEOUT_AFTER_CREATE, 503, None),
            "500 after": (Fault.STATUS_AFTER_CREATE, 500, None),
            "21610": (Fault.STATUS, 400, 21610),
            "21211": (Fault.STATUS, 400, 21211),
        }
        what, status, code = faults[how]
        delay_s = 4 * TIMEOUT_S if how == "silence" else None
        await self._control.add_fault(
            Rule(where=Place.CREATE, what=what, status=status, code=code, times=1, delay_s=delay_s)
        )

    async def hide_log(self) -> None:
        await self._control.add_fault(Rule(where=Place.FETCH, what=Fault.STATUS, status=503))

    async def created(self) -> int:
        return len((await self._control.messages()).messages)


@asynccontextmanager
async def playing(kind: str) -> AsyncIterator[Side]:
    """One of the two, running."""
    if kind == "stub":
        async with running_stub() as stub:
            yield Stub(stub)
        return
    settings = Settings(
        account_sid=ACCOUNT, auth_token="token", numbers=(NUMBER,), public_url="http://127.0.0.1:9", port=0
    )
    with serving(settings) as url:
        async with SimulatorControl(url) as control:
            yield Simulated(url, control)


@pytest.fixture(params=["stub", "simulator"])
async def twilio(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Side]:
    async with playing(request.param) as side:
        yield side


@pytest.fixture
async def api(anyio_backend: str) -> AsyncIterator[TwilioApi]:
    api = TwilioApi(send_settings(timeout_s=TIMEOUT_S))
    await api.open()
    yield api
    await api.close()


@pytest.fixture
def ours(twilio: Side) -> Channel:
    return channel(twilio.url)


def text(body: str = "hello") -> Text:
    return Text(part_id="a" * 32, sender=NUMBER, contact=PERSON, body=body, posted_at=datetime.now(UTC))


async def send(api: TwilioApi, ours: Channel, body: str = "hello") -> Outcome:
    return await api.send(ours, text(body))


async def test_a_text_is_created_and_has_a_sid(api: TwilioApi, ours: Channel, twilio: Side) -> None:
    outcome = await send(api, ours)
    assert isinstance(outcome, Created)
    assert outcome.sid.startswith("SM")
    assert (outcome.status, await twilio.created()) == ("queued", 1)


@pytest.mark.parametrize(
    ("how", "failure", "final"),
    [
        pytest.param("20429", FailureClass.THROTTLED, False, id="throttled"),
        pytest.param("21610", FailureClass.OPTED_OUT, True, id="opted out"),
        pytest.param("21211", FailureClass.RECIPIENT, True, id="no such number"),
    ],
)
async def test_what_twilio_refuses_is_not_sent(
    how: str, failure: FailureClass, final: bool, api: TwilioApi, ours: Channel, twilio: Side
) -> None:
    await twilio.fail_next(how)
    outcome = await send(api, ours)
    assert isinstance(outcome, NotSent)
    assert (outcome.failure, outcome.final, await twilio.created()) == (failure, final, 0)


@pytest.mark.parametrize(
    ("how", "created"),
    [
        pytest.param("html 429", 0, id="a 429 that is not Twilio's"),
        pytest.param("500", 0, id="an internal error"),
        pytest.param("reset before", 0, id="a reset before it was created"),
        pytest.param("reset after", 1, id="a reset after it was created"),
        pytest.param("silence", 1, id="no answer in time"),
        pytest.param("500 after", 1, id="an error after it was created"),
    ],
)
async def test_what_proves_nothing_is_in_doubt_and_posted_once(
    how: str, created: int, api: TwilioApi, ours: Channel, twilio: Side
) -> None:
    await twilio.fail_next(how)
    assert isinstance(await send(api, ours), InDoubt)
    assert await twilio.created() == created


async def test_after_any_failure_the_next_text_goes_through(api: TwilioApi, ours: Channel, twilio: Side) -> None:
    for how in ("reset after", "500", "20429", "html 429"):
        await twilio.fail_next(how)
        assert not isinstance(await send(api, ours), Created)
        assert isinstance(await send(api, ours), Created)


async def test_the_log_shows_what_was_created(api: TwilioApi, ours: Channel, twilio: Side) -> None:
    first, second = await send(api, ours, "one"), await send(api, ours, "two")
    log = await api.read_log(ours, PERSON, LONG_AGO)
    assert isinstance(first, Created)
    assert isinstance(second, Created)
    assert isinstance(log, Log)
    assert [message.sid for message in log.messages] == [second.sid, first.sid]
    newest = log.messages[0]
    assert (newest.body, newest.direction, newest.sender) == ("two", "outbound-api", NUMBER)
    assert newest.created_at is not None
    assert newest.created_at.tzinfo is not None


async def test_the_log_is_read_as_far_back_as_is_asked(api: TwilioApi, ours: Channel) -> None:
    for n in range(105):
        assert isinstance(await send(api, ours, f"text {n}"), Created)
    log = await api.read_log(ours, PERSON, LONG_AGO)
    assert isinstance(log, Log)
    assert "text 0" in {message.body for message in log.messages}


async def test_the_log_of_somebody_else_is_empty(api: TwilioApi, ours: Channel) -> None:
    await send(api, ours)
    assert await api.read_log(ours, "+15550009999", LONG_AGO) == Log(messages=())


async def test_a_log_that_cannot_be_read_now_may_be_read_later(
    api: TwilioApi, ours: Channel, twilio: Side
) -> None:
    await twilio.hide_log()
    log = await api.read_log(ours, PERSON, LONG_AGO)
    assert isinstance(log, NoLog)
    assert not log.for_good


async def test_an_address_that_nobody_listens_at_means_not_sent(api: TwilioApi) -> None:
    outcome = await send(api, channel("http://127.0.0.1:9"))
    assert isinstance(outcome, NotSent)
    assert (outcome.failure, outcome.final) == (FailureClass.UNREACHABLE, False)
