"""What the application is told: texts, status callbacks, retries, the fallback."""

import httpx
import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from integration.simulator.application import Application, Received, Reply, wait_until
from integration.simulator.twilio_client import PERSON, SERVICE_SID, SID, TOKEN, US

SMS = "/webhooks/twilio/sms"
STATUS = "/webhooks/twilio/status"


def is_signed(application: Application, received: Received, token: str = TOKEN) -> bool:
    url = application.url + received.path
    valid = RequestValidator(token).validate(url, received.form, received.headers["X-Twilio-Signature"])
    return bool(valid)


def text(control: httpx.Client, body: str, **more: object) -> str:
    answer = control.post("/inbound", json={"from": PERSON, "body": body} | more)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sid"])


def message(control: httpx.Client, sid: str) -> dict[str, object]:
    rows = control.get("/messages").json()["messages"]
    found: dict[str, object] = next(row for row in rows if row["sid"] == sid)
    return found


def answered(control: httpx.Client, sid: str, answer: str) -> dict[str, object]:
    return wait_until(lambda: message(control, sid), lambda row: row["answer"] == answer)


def set_webhook(twilio: Client, **fields: str) -> None:
    (number,) = twilio.incoming_phone_numbers.list(phone_number=US)
    number.update(**fields)


def codes(control: httpx.Client) -> list[int]:
    return [entry["code"] for entry in control.get("/log").json()["debugger"]]


def test_a_text_arrives_signed_with_all_its_fields(control: httpx.Client, application: Application) -> None:
    sid = text(control, "Grüße & mehr")
    (received,) = application.wait_for(SMS, 1)
    assert is_signed(application, received)
    assert not is_signed(application, received, token="another")
    form = received.form
    assert {form["MessageSid"], form["SmsSid"], form["SmsMessageSid"]} == {sid}
    assert (form["From"], form["To"], form["Body"]) == (PERSON, US, "Grüße & mehr")
    assert (form["NumMedia"], form["NumSegments"], form["SmsStatus"]) == ("0", "1", "received")
    assert (form["AccountSid"], form["ApiVersion"], form["ToCity"]) == (SID, "2010-04-01", "")
    assert "MessagingServiceSid" not in form
    assert received.headers["I-Twilio-Idempotency-Token"]
    answered(control, sid, "answered")


def test_a_pooled_number_names_its_service(service_url: str, application: Application) -> None:
    httpx.post(f"{service_url}/_simulator/inbound", json={"from": PERSON, "body": "hi"})
    (received,) = application.wait_for(SMS, 1)
    assert received.form["MessagingServiceSid"] == SERVICE_SID


def test_a_picture_needs_credentials_and_leads_to_its_bytes(
    control: httpx.Client, application: Application
) -> None:
    text(control, "", media=[{"content_type": "image/png", "data": "aGVsbG8="}])
    (received,) = application.wait_for(SMS, 1)
    assert (received.form["NumMedia"], received.form["Body"]) == ("1", "")
    assert received.form["MediaContentType0"] == "image/png"
    assert received.form["MessageSid"].startswith("MM")
    address = received.form["MediaUrl0"]
    assert httpx.get(address).status_code == 401
    got = httpx.get(address, auth=(SID, TOKEN), follow_redirects=True)
    assert (got.content, got.headers["content-type"]) == (b"hello", "image/png")


def test_a_failing_webhook_is_tried_again_with_one_idempotency_token(
    control: httpx.Client, application: Application
) -> None:
    application.plan(SMS, Reply(status=503), Reply(status=404))
    sid = text(control, "hi")
    row = answered(control, sid, "answered")
    received = application.at(SMS)
    assert len(received) == 3
    assert row["answer_attempts"] == 3
    assert len({one.headers["I-Twilio-Idempotency-Token"] for one in received}) == 1
    assert len({one.form["MessageSid"] for one in received}) == 1
    assert [entry["attempt"] for entry in control.get("/log").json()["entries"]] == [1, 2, 3]


def test_without_overrides_a_500_is_not_tried_again(
    control: httpx.Client, application: Application, twilio: Client
) -> None:
    set_webhook(twilio, sms_url=application.url + SMS)
    application.plan(SMS, Reply(status=500))
    row = answered(control, text(control, "hi"), "failed")
    assert (row["answer_code"], row["answer_attempts"]) == (11200, 1)
    assert len(application.at(SMS)) == 1
    assert codes(control) == [11200]


def test_a_slow_answer_is_cut_off_by_the_read_limit(
    control: httpx.Client, application: Application, twilio: Client
) -> None:
    set_webhook(twilio, sms_url=f"{application.url}{SMS}#rt=100&rc=0")
    application.plan(SMS, Reply(delay_s=1.5))
    row = answered(control, text(control, "hi"), "failed")
    assert row["answer_code"] == 11205


def test_the_fallback_gets_the_text_with_error_and_address(
    control: httpx.Client, application: Application, twilio: Client
) -> None:
    set_webhook(twilio, sms_url=f"{application.url}{SMS}?a=b#rc=0", sms_fallback_url=f"{application.url}/fallback")
    application.plan(SMS, Reply(status=500))
    sid = text(control, "hi")
    (received,) = application.wait_for("/fallback", 1)
    assert is_signed(application, received)
    assert (received.form["ErrorCode"], received.form["ErrorUrl"]) == ("11200", f"{application.url}{SMS}?a=b")
    assert received.form["MessageSid"] == sid
    answered(control, sid, "answered")


def test_a_webhook_by_get_carries_the_form_in_its_signed_query(
    control: httpx.Client, application: Application, twilio: Client
) -> None:
    set_webhook(twilio, sms_method="GET")
    text(control, "hi there")
    (received,) = application.wait_for(SMS, 1)
    assert received.method == "GET"
    assert "Body=hi+there" in received.path
    assert is_signed(application, received)


def test_a_status_callback_comes_for_each_step_but_the_first(twilio: Client, application: Application) -> None:
    callback = f"{application.url}{STATUS}?part=7&x=%2F#rc=5&rp=all"
    created = twilio.messages.create(to=PERSON, from_=US, body="hi", status_callback=callback)
    received = application.wait_for(STATUS, 2)
    assert [one.form["MessageStatus"] for one in received] == ["sent", "delivered"]
    assert {one.path for one in received} == {f"{STATUS}?part=7&x=%2F"}
    assert all(is_signed(application, one) for one in received)
    assert {one.form["MessageSid"] for one in received} == {created.sid}
    assert len(received[1].form["RawDlrDoneDate"]) == 10
    assert "ErrorCode" not in received[1].form


def test_sending_is_reported_when_asked_for(
    twilio: Client, control: httpx.Client, application: Application
) -> None:
    control.post("/settings", json={"report_sending": True})
    twilio.messages.create(to=PERSON, from_=US, body="hi", status_callback=application.url + STATUS)
    received = application.wait_for(STATUS, 3)
    assert {one.form["MessageStatus"] for one in received} == {"sending", "sent", "delivered"}


def test_a_service_reports_queued_too(service_url: str, application: Application) -> None:
    fields = {
        "To": PERSON,
        "MessagingServiceSid": SERVICE_SID,
        "Body": "x",
        "StatusCallback": application.url + STATUS,
    }
    httpx.post(f"{service_url}/2010-04-01/Accounts/{SID}/Messages.json", data=fields, auth=(SID, TOKEN))
    received = application.wait_for(STATUS, 3)
    assert [one.form["MessageStatus"] for one in received] == ["queued", "sent", "delivered"]
    assert {one.form["MessagingServiceSid"] for one in received} == {SERVICE_SID}


@pytest.mark.parametrize(
    ("reply", "shown", "complaints"),
    [
        pytest.param(Reply(), [], [], id="an empty document"),
        pytest.param(Reply(status=204, body=b"", content_type=""), [], [], id="no content"),
        pytest.param(Reply(body=b"ok", content_type="text/plain"), ["ok"], [], id="plain text goes to the person"),
        pytest.param(
            Reply(body=b"<Response><Message>a</Message><Message><Body>b</Body></Message></Response>"),
            ["a", "b"],
            [],
            id="two verbs",
        ),
        pytest.param(Reply(body=b"<Response>"), [], [12100], id="broken XML"),
        pytest.param(Reply(body=b"{}", content_type="application/json"), [], [12300], id="JSON"),
        pytest.param(Reply(body=b"x", content_type=""), [], [12300], id="no type"),
        pytest.param(Reply(body=b" " * 70_000), [], [11750], id="too large"),
    ],
)
def test_the_answer_is_read_as_twilio_reads_it(
    control: httpx.Client, application: Application, reply: Reply, shown: list[str], complaints: list[int]
) -> None:
    application.plan(SMS, reply)
    answered(control, text(control, "hi"), "answered")

    def arrived() -> list[str]:
        texts = control.get(f"/phones/{PERSON}").json()["texts"]
        return [one["body"] for one in texts if one["direction"] == "outbound-reply"]

    wait_until(arrived, lambda found: len(found) >= len(shown))
    assert (arrived(), codes(control)) == (shown, complaints)


def test_redelivering_posts_the_same_text_once_more(control: httpx.Client, application: Application) -> None:
    sid = text(control, "hi")
    answered(control, sid, "answered")
    assert control.post("/redeliver", json={"sid": sid}).status_code == 202
    first, second = application.wait_for(SMS, 2)
    assert first.form == second.form
    assert first.headers["X-Twilio-Signature"] == second.headers["X-Twilio-Signature"]


def test_promoting_the_next_token_changes_signatures_and_credentials(
    control: httpx.Client, application: Application, rest: httpx.Client
) -> None:
    control.post("/tokens", json={"next": "the second token"})
    text(control, "before")
    (before,) = application.wait_for(SMS, 1)
    assert is_signed(application, before)
    state = control.post("/tokens", json={"promote": True}).json()
    assert state == {"promoted": True, "has_next": False, "shared_key": None}
    text(control, "after")
    after = application.wait_for(SMS, 2)[1]
    assert is_signed(application, after, token="the second token")
    assert rest.get("/Messages.json").status_code == 401
    assert rest.get("/Messages.json", auth=(SID, "the second token")).status_code == 200


def test_a_shared_key_signs_with_sha256_and_says_so(control: httpx.Client, application: Application) -> None:
    key = {"key": "webhooks_sharedkey_1", "secret": "a shared secret"}
    control.post("/tokens", json={"shared_key": key})
    text(control, "hi")
    (received,) = application.wait_for(SMS, 1)
    settings = received.headers["X-Twilio-Webhooks-Signature-Settings"]
    assert settings == "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    expected = RequestValidator("a shared secret").compute_signature(
        application.url + received.path, received.form, "HMAC_SHA256"
    )
    assert received.headers["X-Twilio-Signature"] == expected


@pytest.fixture
def stopped(control: httpx.Client) -> httpx.Client:
    """A control client after the person said STOP."""
    text(control, "Stop ")
    return control


def bodies(control: httpx.Client) -> list[str]:
    return [one["body"] for one in control.get(f"/phones/{PERSON}").json()["texts"]]


def test_stop_is_confirmed_once_and_still_posted(stopped: httpx.Client, application: Application) -> None:
    wait_until(lambda: bodies(stopped), lambda found: any("unsubscribed" in body for body in found))
    text(stopped, "STOP")
    received = application.wait_for(SMS, 2)
    assert "OptOutType" not in received[0].form
    assert sum("unsubscribed" in body for body in bodies(stopped)) == 1


def test_after_stop_a_named_number_is_refused_and_start_lifts_it(
    stopped: httpx.Client, rest: httpx.Client
) -> None:
    fields = {"To": PERSON, "From": US, "Body": "x"}
    refusal = rest.post("/Messages.json", data=fields)
    assert (refusal.status_code, refusal.json()["code"]) == (400, 21610)
    other = {"To": PERSON, "From": "+15550100101", "Body": "x"}
    assert rest.post("/Messages.json", data=other).status_code == 201
    text(stopped, "start")
    wait_until(lambda: bodies(stopped), lambda found: any("re-subscribed" in body for body in found))
    assert rest.post("/Messages.json", data=fields).status_code == 201


def test_after_stop_a_service_fails_later_for_all_its_numbers(service_url: str, application: Application) -> None:
    control = httpx.Client(base_url=f"{service_url}/_simulator")
    text(control, "STOP", to="+15550100101")
    fields = {
        "To": PERSON,
        "MessagingServiceSid": SERVICE_SID,
        "Body": "x",
        "StatusCallback": application.url + STATUS,
    }
    base = f"{service_url}/2010-04-01/Accounts/{SID}/Messages.json"
    created = httpx.post(base, data=fields, auth=(SID, TOKEN))
    assert created.json()["status"] == "accepted"
    (received,) = application.wait_for(STATUS, 1)
    assert (received.form["MessageStatus"], received.form["ErrorCode"]) == ("failed", "21610")
    control.close()


def test_advanced_opt_out_names_the_keyword(control: httpx.Client, application: Application) -> None:
    control.post("/settings", json={"advanced_opt_out": True})
    text(control, "HELP")
    (received,) = application.wait_for(SMS, 1)
    assert received.form["OptOutType"] == "HELP"
