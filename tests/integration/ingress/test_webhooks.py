"""Webhooks of a real ingress over a real broker: what is genuine is held once, what is not leaves no trace."""

from __future__ import annotations

import asyncio
import secrets

import httpx
import pytest
from httpx import ASGITransport
from starlette.applications import Starlette

from harness.running import Running
from harness.stack import Stack
from integration.ingress.sender import (
    FORM,
    IDENTITY,
    INBOUND,
    NUMBER,
    PERSON,
    PUBLIC_URL,
    SETTINGS,
    STATUS,
    Fields,
    Sender,
    new_sid,
    report,
    reports,
    sign,
    text,
    texts,
)
from parley_common import topology
from parley_common.bus import Bus
from parley_common.channels import read_channels
from parley_common.consent import ConsentLedger
from parley_common.events import ConsentChanged
from parley_ingress.publishing import Budgets, Publisher
from parley_ingress.webhooks import Webhooks

pytestmark = pytest.mark.anyio

PART = "ab" * 16


class FaultyLedger(ConsentLedger):
    """A ledger with a fault of ours in it, until it is mended."""

    is_mended = False

    async def record(self, change: ConsentChanged) -> None:
        if not self.is_mended:
            raise ZeroDivisionError
        await super().record(change)


def is_empty_twiml(response: httpx.Response) -> bool:
    """What Twilio takes as "say nothing"."""
    kind = response.headers["content-type"].partition(";")[0]
    return response.status_code == 200 and kind == "text/xml" and response.text.endswith("<Response/>")


async def test_a_genuine_text_is_stored_and_answered_with_nothing(sender: Sender, bus: Bus) -> None:
    fields = text("Grüße & 100% ✓")
    assert is_empty_twiml(await sender.post(fields))
    (message,) = await texts(bus)
    assert (message.id, message.body, message.contact) == (fields["MessageSid"], "Grüße & 100% ✓", PERSON)


async def test_a_genuine_get_is_a_text_too(sender: Sender, bus: Bus) -> None:
    assert is_empty_twiml(await sender.get(text("a+b & c")))
    assert [message.body for message in await texts(bus)] == ["a+b & c"]


async def test_p2_one_text_delivered_many_times_at_once_is_stored_once(sender: Sender, bus: Bus) -> None:
    fields = text()
    responses = await asyncio.gather(*(sender.post(fields) for _ in range(5)), sender.get(fields))
    assert all(map(is_empty_twiml, responses))
    assert len(await texts(bus)) == 1


async def test_texts_are_stored_in_the_order_of_their_answers(sender: Sender, bus: Bus) -> None:
    for n in range(20):
        assert is_empty_twiml(await sender.post(text(str(n))))
    assert [message.body for message in await texts(bus)] == [str(n) for n in range(20)]


FORGERIES: list[object] = [
    pytest.param({}, {"token": "x" * 32}, id="signed with another token"),
    pytest.param({}, {"headers": {"X-Twilio-Signature": ""}}, id="blank signature"),
    pytest.param({}, {"headers": {"X-Twilio-Signature": "=" * 5_000}}, id="junk"),
    pytest.param({"AccountSid": "AC" + "b" * 32}, {}, id="another account"),
    pytest.param({"AccountSid": ""}, {}, id="no account"),
    pytest.param({"To": "+15550002222"}, {}, id="a number that is not ours"),
    pytest.param({"To": ""}, {}, id="no number"),
    pytest.param(
        {}, {"headers": {"X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256"}}, id="another key"
    ),
]


@pytest.mark.parametrize(("changes", "how"), FORGERIES)
async def test_a_forged_text_is_refused_and_not_stored(
    changes: Fields, how: dict[str, object], sender: Sender, bus: Bus
) -> None:
    response = await sender.post(text("STOP", **changes), **how)  # type: ignore[arg-type]
    assert response.status_code == 403
    assert (await stored(bus)) == 0


async def test_a_text_without_a_signature_is_refused(sender: Sender, bus: Bus) -> None:
    response = await sender.client.post(INBOUND, data=text())
    assert (response.status_code, await stored(bus)) == (403, 0)


async def test_a_changed_text_is_refused(sender: Sender, bus: Bus) -> None:
    genuine = text("pay Ann")
    signature = {"X-Twilio-Signature": sign(PUBLIC_URL + INBOUND, genuine)}
    response = await sender.client.post(INBOUND, data={**genuine, "Body": "pay Eve"}, headers=signature)
    assert (response.status_code, await stored(bus)) == (403, 0)


async def test_a_text_is_no_status_callback(sender: Sender, bus: Bus) -> None:
    genuine = report(To=NUMBER, Body="hello")
    signature = {"X-Twilio-Signature": sign(PUBLIC_URL + STATUS, genuine)}
    response = await sender.client.post(INBOUND, data=genuine, headers=signature)
    assert (response.status_code, await stored(bus)) == (403, 0)


async def test_a_refusal_says_why_and_names_nobody(sender: Sender, ingress: Running) -> None:
    response = await sender.post(text("my secret words"), token="x" * 32)
    assert "TWILIO_AUTH_TOKEN" in response.json()["error"]
    for private in (PERSON, PERSON[1:], NUMBER[1:], "my secret words", SETTINGS["TWILIO_AUTH_TOKEN"]):
        assert private not in response.text
        assert private not in ingress.output


async def test_an_accepted_text_is_in_no_log(sender: Sender, ingress: Running) -> None:
    await sender.post(text("my secret words", ProfileName="Ann Other"))
    for private in (PERSON, PERSON[1:], NUMBER[1:], "my secret words", "Ann Other"):
        assert private not in ingress.output


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", [INBOUND, STATUS])
async def test_another_method_is_refused(method: str, path: str, sender: Sender) -> None:
    assert (await sender.client.request(method, path, headers={"Content-Type": FORM})).status_code == 405


@pytest.mark.parametrize(
    ("status", "content", "content_type"),
    [
        pytest.param(415, b"{}", "application/json", id="JSON"),
        pytest.param(415, b"", "", id="no content type"),
        pytest.param(413, b"a=" + b"x" * 70_000, FORM, id="too large"),
        pytest.param(400, b"Body=%FF", FORM, id="no UTF-8"),
        pytest.param(400, b"a=1&" * 501, FORM, id="too many fields"),
    ],
)
async def test_what_is_no_webhook_is_refused(
    status: int, content: bytes, content_type: str, sender: Sender, bus: Bus
) -> None:
    response = await sender.client.post(INBOUND, content=content, headers={"Content-Type": content_type})
    assert (response.status_code, await stored(bus)) == (status, 0)


@pytest.mark.parametrize(
    ("path", "fields", "named"),
    [
        pytest.param(INBOUND, text(MessageSid=""), "MessageSid", id="a text without a SID"),
        pytest.param(INBOUND, text(MessageSid="SM1"), "MessageSid", id="a text with a bad SID"),
        pytest.param(INBOUND, text(From=""), "From", id="a text from nobody"),
        pytest.param(STATUS, report(""), "MessageStatus", id="a callback without a status"),
        pytest.param(STATUS, report("a.b"), "MessageStatus", id="a callback with a bad status"),
    ],
)
async def test_a_genuine_webhook_that_lacks_a_field_is_refused_by_name(
    path: str, fields: Fields, named: str, sender: Sender, bus: Bus
) -> None:
    response = await sender.post(fields, path)
    assert (response.status_code, await stored(bus)) == (400, 0)
    assert named in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        pytest.param(INBOUND, text(AccountSid=""), "AccountSid is missing", id="no account"),
        pytest.param(INBOUND, text(AccountSid="AC" + "b" * 32), "TWILIO_ACCOUNT_SID", id="another account"),
        pytest.param(INBOUND, text(To=""), "To and MessagingServiceSid are missing", id="a text to nobody"),
        pytest.param(INBOUND, text(To="+15550002222"), "the number", id="a text to another number"),
        pytest.param(STATUS, report(From=""), "From and MessagingServiceSid", id="a callback from nobody"),
    ],
)
async def test_a_webhook_that_belongs_to_no_channel_is_told_why(
    path: str, fields: Fields, words: str, sender: Sender, bus: Bus
) -> None:
    response = await sender.post(fields, path)
    assert (response.status_code, await stored(bus)) == (403, 0)
    assert words in response.json()["error"]


async def test_a_status_callback_that_does_not_say_about_whom_it_is_is_not_lost(
    sender: Sender, bus: Bus, ingress: Running
) -> None:
    fields = report(To="")
    assert is_empty_twiml(await sender.post(fields, f"{STATUS}?part={PART}"))
    last = await bus.last(topology.reports(IDENTITY.conversation("default", ""), PART))
    assert last is not None
    assert last.headers["Nats-Msg-Id"].startswith(fields["MessageSid"])
    assert "does not say about whom" in ingress.output
    assert await reports(bus, PART) == []


async def test_both_tokens_count_while_they_are_rotated(broker: Stack, ingress: Running, bus: Bus) -> None:
    rotating = broker.prepare("ingress-2", "ingress", {**SETTINGS, "TWILIO_AUTH_TOKEN_NEXT": "n" * 32})
    await rotating.start()
    async with httpx.AsyncClient(base_url=broker.url("ingress-2")) as client:
        sender = Sender(client=client)
        assert is_empty_twiml(await sender.post(text()))
        assert is_empty_twiml(await sender.post(text(), token="n" * 32))
        assert (await sender.post(text(), token="o" * 32)).status_code == 403
    assert len(await texts(bus)) == 2


async def test_a_channel_with_shared_keys_takes_no_other_signature(
    broker: Stack, ingress: Running, bus: Bus
) -> None:
    strict = broker.prepare("ingress-3", "ingress", {**SETTINGS, "TWILIO_WEBHOOK_SHARED_KEYS": "key1=secret"})
    await strict.start()
    async with httpx.AsyncClient(base_url=broker.url("ingress-3")) as client:
        assert (await Sender(client=client).post(text())).status_code == 403
    assert await stored(bus) == 0


async def test_a_stop_is_recorded_before_the_text_is_stored(
    sender: Sender, bus: Bus, consent: ConsentLedger
) -> None:
    assert is_empty_twiml(await sender.post(text("STOP")))
    assert not await consent.granted(NUMBER, PERSON)
    recorded = await bus.last(topology.consent(IDENTITY.consent(NUMBER, PERSON)))
    message = await bus.last(topology.texts(IDENTITY.conversation("default", PERSON)))
    assert recorded is not None
    assert message is not None
    assert recorded.time <= message.time


async def test_an_old_stop_delivered_again_does_not_undo_a_start(sender: Sender, consent: ConsentLedger) -> None:
    stop = text("STOP")
    for fields in (stop, text("START"), stop, stop):
        assert is_empty_twiml(await sender.post(fields))
    assert await consent.granted(NUMBER, PERSON)


async def test_a_stop_delivered_many_times_at_once_is_recorded_once(
    sender: Sender, bus: Bus, consent: ConsentLedger
) -> None:
    stop = text("", OptOutType="STOP")
    responses = await asyncio.gather(*(sender.post(stop) for _ in range(8)))
    assert all(map(is_empty_twiml, responses))
    assert not await consent.granted(NUMBER, PERSON)
    assert (await bus.js.stream_info(topology.CONSENT)).state.messages == 1


async def test_a_webhook_that_meets_a_fault_of_ours_is_503_and_comes_in_once_that_is_mended(bus: Bus) -> None:
    ledger, person = FaultyLedger(bus, IDENTITY), "+15557778888"
    webhooks = Webhooks(
        public_url=PUBLIC_URL,
        channels=read_channels(SETTINGS),
        identity=IDENTITY,
        publisher=Publisher(bus, 10),
        consent=ledger,
        budgets=Budgets(5.0),
    )
    app, stop = ASGITransport(Starlette(routes=webhooks.routes())), text("STOP", From=person)
    async with httpx.AsyncClient(transport=app, base_url=PUBLIC_URL) as client:
        sender = Sender(client=client)
        response = await sender.post(stop)
        assert (response.status_code, response.headers["content-type"]) == (503, "application/json")
        assert await texts(bus, person) == []
        ledger.is_mended = True
        assert is_empty_twiml(await sender.post(stop))
    assert not await ledger.granted(NUMBER, person)


async def test_a_status_callback_is_stored_under_its_part(sender: Sender, bus: Bus) -> None:
    fields = report("sent", RawDlrDoneDate="2611211200")
    assert is_empty_twiml(await sender.post(fields, f"{STATUS}?part={PART}"))
    (stored_report,) = await reports(bus, PART)
    assert (stored_report.sid, stored_report.status) == (fields["MessageSid"], "sent")
    assert (stored_report.part_id, stored_report.carrier_done_at) == (PART, "2611211200")


@pytest.mark.parametrize("query", ["", "?part=", "?part=../x", "?part=*", f"?part={PART}0", "?other=1"])
async def test_a_callback_without_a_part_of_ours_is_stored_under_its_sid(
    query: str, sender: Sender, bus: Bus
) -> None:
    fields = report()
    assert is_empty_twiml(await sender.post(fields, STATUS + query))
    (stored_report,) = await reports(bus, fields["MessageSid"])
    assert stored_report.part_id is None


async def test_each_status_of_a_text_is_stored_once(sender: Sender, bus: Bus) -> None:
    sid, path = new_sid(), f"{STATUS}?part={PART}"
    for status in ("queued", "sent", "delivered", "sent", "delivered"):
        assert is_empty_twiml(await sender.post(report(status, MessageSid=sid), path))
    assert [one.status for one in await reports(bus, PART)] == ["queued", "sent", "delivered"]


async def test_a_status_callback_goes_on_with_the_trace_in_its_address(sender: Sender, bus: Bus) -> None:
    trace = secrets.token_hex(16)
    path = f"{STATUS}?part={PART}&traceparent=00-{trace}-{secrets.token_hex(8)}-01"
    assert is_empty_twiml(await sender.post(report(), path))
    last = await bus.last(topology.reports(IDENTITY.conversation("default", PERSON), PART))
    assert last is not None
    assert last.headers["traceparent"].split("-")[1] == trace


async def test_a_forged_callback_is_no_evidence(sender: Sender, bus: Bus) -> None:
    genuine = report()
    signature = {"X-Twilio-Signature": sign(f"{PUBLIC_URL}{STATUS}?part={'0' * 32}", genuine)}
    response = await sender.client.post(f"{STATUS}?part={PART}", data=genuine, headers=signature)
    assert response.status_code == 403
    assert await reports(bus, PART) == []


async def test_an_opt_out_told_by_a_callback_is_recorded(sender: Sender, bus: Bus, consent: ConsentLedger) -> None:
    fields = report("failed", ErrorCode="21610")
    assert is_empty_twiml(await sender.post(fields, f"{STATUS}?part={PART}"))
    assert not await consent.granted(NUMBER, PERSON)
    assert [one.error_code for one in await reports(bus, PART)] == [21610]


async def stored(bus: Bus) -> int:
    """How many events there are in all streams that webhooks write to."""
    streams = (topology.CONVERSATIONS, topology.REPORTS, topology.CONSENT)
    return sum([(await bus.js.stream_info(stream)).state.messages for stream in streams])
