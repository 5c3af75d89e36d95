"""No phone number, text or token in any log line, whatever goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import msgspec
import pytest
from twilio.request_validator import RequestValidator

from harness.people import Person
from harness.privacy import leaks
from harness.stack import Stack
from harness.waiting import wait_until
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.identity import Identity
from parley_simulator.control import SimulatorControl
from parley_simulator.faults import Fault, Match, Place, Rule

pytestmark = pytest.mark.anyio

TEXT = "my secret is heliotrope"


@pytest.mark.parametrize(
    "fault",
    [
        Rule(where=Place.CREATE, what=Fault.STATUS, status=400, code=21211, times=1),
        Rule(where=Place.CREATE, what=Fault.STATUS, status=503, times=1),
        Rule(where=Place.CREATE, what=Fault.RESET_AFTER_CREATE, times=1),
        Rule(where=Place.CREATE, what=Fault.ASYNC_ERROR, code=30003, times=1),
    ],
    ids=lambda rule: f"{rule.what.value} {rule.code or ''}",
)
async def test_p11_no_log_tells_who_wrote_what_when_sending_fails(
    whole: Stack, simulator: SimulatorControl, somebody: Callable[[], Person], fault: Rule
) -> None:
    person = somebody()
    active = await simulator.add_fault(msgspec.structs.replace(fault, match=Match(to=person.number)))
    await person.text(f"ECHO {TEXT}")

    async def struck() -> bool:
        return any(one.id == active.id and one.fired for one in await simulator.faults())

    await wait_until(struck, 10.0, what="the fault")
    assert leaks(whole, [TEXT, person.number.removeprefix("+")]) == []


async def test_no_log_tells_who_wrote_what_in_a_webhook_that_is_refused(whole: Stack) -> None:
    url = f"{whole.url('ingress')}/webhooks/twilio/sms"
    form = {"From": "+15550167777", "Body": TEXT, "AccountSid": whole.environment["TWILIO_ACCOUNT_SID"]}
    form |= {"To": whole.environment["TWILIO_PHONE_NUMBER"]}
    signature = RequestValidator(whole.environment["TWILIO_AUTH_TOKEN"]).compute_signature(url, form)
    async with httpx.AsyncClient() as http:
        assert (await http.post(url, data=form)).status_code == 403
        assert (await http.post(url, data=form, headers={"X-Twilio-Signature": signature})).status_code == 400
        assert (await http.get(url, params=form)).status_code == 403
        assert (await http.post(url, json=form)).status_code == 415
    assert leaks(whole, [TEXT, "5550167777"]) == []


async def test_no_log_tells_what_stands_in_a_message_that_cannot_be_read(whole: Stack) -> None:
    contact = "+15550168888"
    identity = Identity(whole.environment["PARLEY_HASH_KEY"].encode())
    conversation = identity.conversation("default", contact)
    bus = Bus(Broker(whole.nats_url), name="test")
    await bus.connect()
    try:
        broken = f'{{"type":"InboundMessage","contact":"{contact}","body":"{TEXT}","id":7}}'.encode()
        await bus.js.publish(topology.texts(conversation), broken)

        async def buried() -> bool:
            return await bus.last(topology.dead_letter("agent")) is not None

        await wait_until(buried, 10.0, what="the dead letter")
    finally:
        await bus.close()
    assert leaks(whole, [TEXT]) == []
