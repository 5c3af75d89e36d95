"""The whole path with all services as processes: a text becomes a delivered reply, once, whatever Twilio does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from twilio.request_validator import RequestValidator

from e2e.conftest import QUICK
from e2e.test_abuse import outcomes
from harness.people import Person, StatusApi, simulator_of, status_of
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_simulator.control import SimulatorControl
from parley_simulator.faults import Fault, Match, Place, Rule

pytestmark = pytest.mark.anyio

Somebody = Callable[[], Person]


async def outbound_in_state(status: StatusApi, contact: str, state: str) -> list[Any]:
    """The bot's messages to a person once the newest is in that state."""

    async def there() -> list[Any] | None:
        messages = list(await status.outbound(contact))
        return messages if messages and messages[-1]["state"] == state else None

    found: list[Any] | None = await wait_until(there, 20.0, what=f"a message to become {state}")
    assert found is not None
    return found


async def test_a_text_is_answered_and_the_answer_delivered(somebody: Somebody, status: StatusApi) -> None:
    person = somebody()
    await person.text("ECHO good morning")
    texts = await person.wait_for(1)
    assert [text.body for text in texts] == ["good morning"]
    messages = await outbound_in_state(status, person.number, "delivered")
    detail = await status.get(f"/v1/messages/{messages[0]['id']}")
    (part,) = detail["parts"]
    assert part["sid"] == texts[0].sid
    assert [report["status"] for report in part["reports"]][-1] == "delivered"
    conversation = await status.conversation(person.number)
    assert [message["direction"] for message in conversation["messages"]] == ["inbound", "outbound"]
    assert conversation["messages"][0]["state"] == "handled"


async def test_somebody_new_is_greeted_and_then_answered(somebody: Somebody) -> None:
    person = somebody()
    await person.text("hello")
    await person.wait_for(1)
    await person.text("and now?")
    greeting, answer = await person.wait_for(2)
    assert "This is Parley" in greeting.body
    assert "**" not in greeting.body
    assert "and now?" in answer.body


async def test_a_long_answer_comes_in_numbered_parts_in_order(somebody: Somebody) -> None:
    person = somebody()
    words = [f"word{n:03d}" for n in range(150)]
    await person.text("THRICE " + " ".join(words))
    await person.text("ECHO after it")
    texts = await person.wait_for(4)
    assert [text.body[:6] for text in texts[:3]] == ["(1/3) ", "(2/3) ", "(3/3) "]
    assert " ".join(text.body[6:] for text in texts[:3]).split() == words * 3
    assert texts[3].body == "after it"


async def test_a_redelivered_webhook_gives_one_reply(
    somebody: Somebody, simulator: SimulatorControl, whole: Stack
) -> None:
    person = somebody()
    sid = await person.text("ECHO once")
    await person.wait_for(1)
    for _ in range(5):
        await simulator.redeliver(sid)
    await wait_until(lambda: _answered_times(whole, sid, 6), 10.0, what="six webhooks answered")
    await person.text("ECHO next")
    assert [text.body for text in await person.wait_for(2)] == ["once", "next"]


async def test_a_forged_webhook_is_403_and_leaves_no_event(whole: Stack, somebody: Somebody) -> None:
    person = somebody()
    before = await _events(whole)
    form = _form(whole, person.number)
    url = f"{whole.url('ingress')}/webhooks/twilio/sms"
    forged = RequestValidator("another token").compute_signature(url, form)
    async with httpx.AsyncClient() as http:
        for signature in (forged, "", "é"):
            answer = await http.post(url, data=form, headers={b"X-Twilio-Signature": signature.encode()})
            assert answer.status_code == 403
        assert (await http.post(url, data=form)).status_code == 403
        genuine = RequestValidator(whole.environment["TWILIO_AUTH_TOKEN"]).compute_signature(url, form)
        changed = await http.post(url, data=form | {"Body": "x"}, headers={"X-Twilio-Signature": genuine})
        assert changed.status_code == 403
        assert await _events(whole) == before
        answer = await http.post(url, data=form, headers={"X-Twilio-Signature": genuine})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")


async def test_20429_twice_and_then_success_is_one_text(
    somebody: Somebody, simulator: SimulatorControl, status: StatusApi
) -> None:
    person = somebody()
    throttled = Rule(
        where=Place.CREATE, what=Fault.STATUS, status=429, code=20429, times=2, match=Match(to=person.number)
    )
    rule = await simulator.add_fault(throttled)
    await person.text("ECHO patience")
    assert [text.body for text in await person.wait_for(1)] == ["patience"]
    messages = await outbound_in_state(status, person.number, "delivered")
    detail = await status.get(f"/v1/messages/{messages[0]['id']}")
    assert detail["parts"][0]["attempts"] == 3
    assert [active.fired for active in await simulator.faults() if active.id == rule.id] == [2]
    assert len(await person.received()) == 1


async def test_21610_is_not_retried_and_the_contact_is_opted_out(
    somebody: Somebody, simulator: SimulatorControl, status: StatusApi
) -> None:
    person = somebody()
    refused = Rule(where=Place.CREATE, what=Fault.STATUS, status=400, code=21610, match=Match(to=person.number))
    rule = await simulator.add_fault(refused)
    await person.text("ECHO hello?")
    messages = await outbound_in_state(status, person.number, "failed")
    assert messages[-1]["failure"]["code"] == 21610
    conversation = await wait_until(lambda: _opted_out(status, person), 10.0, what="the opt-out")
    assert conversation
    await person.text("ECHO still there?")
    assert await outcomes(status, person, 2) == ["answered", "opted_out"]
    assert len(await status.outbound(person.number)) == 1
    assert [active.fired for active in await simulator.faults() if active.id == rule.id] == [1]


async def test_stop_silences_and_start_lifts_it(somebody: Somebody, status: StatusApi) -> None:
    person = somebody()
    await person.text("ECHO one")
    await person.wait_for(1)
    await person.text("STOP")
    await wait_until(lambda: _opted_out(status, person), 10.0, what="the opt-out")
    await person.text("ECHO two")
    assert await outcomes(status, person, 3) == ["answered", "keyword", "opted_out"]
    assert len(await status.outbound(person.number)) == 1
    await person.text("START")
    await person.text("ECHO three")
    bodies = [text.body for text in await person.wait_for(2)]
    assert bodies == ["one", "three"]


async def test_a_lost_response_does_not_send_twice(
    somebody: Somebody, simulator: SimulatorControl, status: StatusApi
) -> None:
    person = somebody()
    lost = Rule(where=Place.CREATE, what=Fault.RESET_AFTER_CREATE, times=1, match=Match(to=person.number))
    await simulator.add_fault(lost)
    await person.text("ECHO only once")
    await person.wait_for(1)
    await outbound_in_state(status, person.number, "delivered")
    await person.text("ECHO after")
    assert [text.body for text in await person.wait_for(2)] == ["only once", "after"]


async def test_only_who_is_allowed_is_answered(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = {**QUICK, "SMS_ALLOWED_USERS": "+15550170001"}
    async with (
        running_stack(tmp_path_factory.mktemp("allowlist"), settings=settings) as stack,
        simulator_of(stack) as simulator,
        status_of(stack) as status,
    ):
        friend, stranger = Person("+15550170001", simulator), Person("+15550170002", simulator)
        await stranger.text("ECHO let me in")
        await friend.text("ECHO hi")
        assert [text.body for text in await friend.wait_for(1)] == ["hi"]

        async def outcome() -> str | None:
            conversation = await status.conversation(stranger.number)
            return conversation["messages"][0]["outcome"] if conversation else None

        assert await wait_until(outcome, 10.0) == "not_allowed"
        assert await stranger.received() == []


async def _opted_out(status: StatusApi, person: Person) -> bool:
    conversation = await status.conversation(person.number)
    return bool(conversation and conversation["opted_out"])


def _answered_times(stack: Stack, sid: str, times: int) -> bool:
    return stack["ingress"].output.count(f'"sid": "{sid}"') >= times


async def _events(stack: Stack) -> int:
    bus = Bus(Broker(stack.nats_url), name="test")
    await bus.connect()
    try:
        return (await bus.js.stream_info(topology.CONVERSATIONS)).state.last_seq
    finally:
        await bus.close()


def _form(stack: Stack, contact: str) -> dict[str, str]:
    return {
        "MessageSid": "SM" + "0f" * 16,
        "AccountSid": stack.environment["TWILIO_ACCOUNT_SID"],
        "From": contact,
        "To": stack.environment["TWILIO_PHONE_NUMBER"],
        "Body": "ECHO forged?",
        "NumMedia": "0",
        "ToCity": "",
    }
