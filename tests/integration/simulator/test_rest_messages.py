"""The Messages resource, asked by Twilio's own client."""

import base64
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from integration.simulator.application import Application, Reply, wait_until
from integration.simulator.twilio_client import PERSON, SERVICE_SID, SID, US, client_for


def test_a_created_message_is_queued_then_delivered(twilio: Client) -> None:
    created = twilio.messages.create(to=PERSON, from_=US, body="Grüße €")
    assert created.status == "queued"
    assert created.sid.startswith("SM")
    assert len(created.sid) == 34
    assert (created.num_segments, created.price, created.date_sent) == ("1", None, None)
    done = wait_until(lambda: twilio.messages(created.sid).fetch(), lambda m: m.status == "delivered")
    assert (done.body, done.to, done.from_, done.direction) == ("Grüße €", PERSON, US, "outbound-api")
    assert done.price == "-0.00830"
    assert done.date_sent is not None
    assert done.date_sent.tzinfo is not None


def test_a_messaging_service_accepts_and_picks_the_number_later(service_url: str) -> None:
    twilio = client_for(service_url)
    created = twilio.messages.create(to=PERSON, messaging_service_sid=SERVICE_SID, body="hi")
    assert (created.status, created.from_, created.num_segments) == ("accepted", None, "0")
    done = wait_until(lambda: twilio.messages(created.sid).fetch(), lambda m: m.status == "delivered")
    assert done.from_ in {"+15550100100", "+15550100101"}
    again = twilio.messages.create(to=PERSON, messaging_service_sid=SERVICE_SID, body="hi again")
    sent = wait_until(lambda: twilio.messages(again.sid).fetch(), lambda m: m.from_ is not None)
    assert sent.from_ == done.from_


@pytest.mark.parametrize(
    ("fields", "code", "status"),
    [
        pytest.param({"From": US, "Body": "x"}, 21604, 400, id="no recipient"),
        pytest.param({"To": "5", "From": US, "Body": "x"}, 21211, 400, id="no such recipient"),
        pytest.param({"To": PERSON, "Body": "x"}, 21603, 400, id="no sender"),
        pytest.param({"To": PERSON, "From": "+15550109999", "Body": "x"}, 21606, 400, id="not our number"),
        pytest.param({"To": PERSON, "From": US}, 21602, 400, id="no body"),
        pytest.param({"To": PERSON, "From": US, "Body": "x" * 1601}, 21617, 400, id="too long"),
        pytest.param({"To": US, "From": US, "Body": "x"}, 21266, 400, id="to itself"),
        pytest.param({"To": PERSON, "From": US, "MediaUrl": "nowhere"}, 21620, 400, id="bad media"),
        pytest.param({"To": PERSON, "From": US, "Body": "x", "StatusCallback": "y"}, 21609, 400, id="url"),
        pytest.param({"To": PERSON, "MessagingServiceSid": "MG", "Body": "x"}, 21701, 404, id="no service"),
        pytest.param({"To": PERSON, "From": US, "Body": "x", "SendAt": "2099-01-01"}, 35118, 400, id="when"),
    ],
)
def test_a_wrong_request_is_refused_with_twilios_code(
    rest: httpx.Client, fields: dict[str, str], code: int, status: int
) -> None:
    answer = rest.post("/Messages.json", data=fields)
    refusal = answer.json()
    assert (answer.status_code, refusal["code"], refusal["status"]) == (status, code, status)
    assert refusal["more_info"].endswith(f"/{code}")
    assert refusal["message"]


def test_the_longest_body_is_taken(rest: httpx.Client) -> None:
    assert rest.post("/Messages.json", data={"To": PERSON, "From": US, "Body": "x" * 1600}).status_code == 201


def test_wrong_credentials_are_refused_as_20003(url: str) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client_for(url, token="wrong").messages("SM0").fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_another_account_is_not_found(url: str, rest: httpx.Client) -> None:
    answer = rest.get(f"{url}/2010-04-01/Accounts/AC{'f' * 32}/Messages.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_answers_carry_twilios_headers(rest: httpx.Client) -> None:
    headers = rest.get("/Messages.json").headers
    assert headers["Twilio-Request-Id"].startswith("RQ")
    assert headers["Twilio-Concurrent-Requests"] == "1"


def test_the_list_is_newest_first_and_pages_do_not_shift(twilio: Client) -> None:
    sent = [twilio.messages.create(to=PERSON, from_=US, body=f"text {n}").sid for n in range(5)]
    page = twilio.messages.page(page_size=2)
    seen = [one.sid for one in page]
    twilio.messages.create(to=PERSON, from_=US, body="came in between")
    while (page := page.next_page()) is not None:
        seen += [one.sid for one in page]
    assert seen == sent[::-1]


def test_the_list_can_be_filtered_by_both_numbers(twilio: Client) -> None:
    twilio.messages.create(to=PERSON, from_=US, body="a")
    twilio.messages.create(to="+12025550199", from_=US, body="b")
    twilio.messages.create(to=PERSON, from_="+15550100101", body="c")
    assert [m.body for m in twilio.messages.list(to=PERSON)] == ["c", "a"]
    assert [m.body for m in twilio.messages.list(from_=US)] == ["b", "a"]
    assert [m.body for m in twilio.messages.list(to=PERSON, from_=US)] == ["a"]


def test_the_list_can_be_filtered_by_date(twilio: Client) -> None:
    sid = twilio.messages.create(to=PERSON, from_=US, body="a").sid
    wait_until(lambda: twilio.messages(sid).fetch(), lambda m: m.status == "delivered")
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    assert len(twilio.messages.list(date_sent_after=now - hour)) == 1
    assert len(twilio.messages.list(date_sent_after=now + hour)) == 0
    assert len(twilio.messages.list(date_sent_before=now + hour)) == 1
    assert len(twilio.messages.list(date_sent_before=now - hour)) == 0
    midnight, last_second = now.replace(hour=0, minute=0, second=0), now.replace(hour=23, minute=59, second=59)
    assert len(twilio.messages.list(date_sent=midnight)) == 1
    assert len(twilio.messages.list(date_sent=last_second)) == 1
    assert twilio.messages.list(date_sent=now - timedelta(days=1)) == []


def test_a_date_filter_leaves_out_what_was_not_sent_yet(twilio: Client, control: httpx.Client) -> None:
    control.post("/settings", json={"sent_after_s": 60})
    twilio.messages.create(to=PERSON, from_=US, body="a")
    assert len(twilio.messages.list()) == 1
    assert twilio.messages.list(date_sent_after=datetime(2020, 1, 1, tzinfo=UTC)) == []


def test_a_message_can_be_redacted_and_deleted(twilio: Client) -> None:
    sid = twilio.messages.create(to=PERSON, from_=US, body="secret").sid
    wait_until(lambda: twilio.messages(sid).fetch(), lambda m: m.status == "delivered")
    assert twilio.messages(sid).update(body="").body == ""
    assert twilio.messages(sid).delete()
    with pytest.raises(TwilioRestException) as gone:
        twilio.messages(sid).fetch()
    assert (gone.value.status, gone.value.code) == (404, 20404)


def test_a_scheduled_message_can_be_canceled(service_url: str) -> None:
    twilio = client_for(service_url)
    message = twilio.messages.create(
        to=PERSON,
        messaging_service_sid=SERVICE_SID,
        body="later",
        schedule_type="fixed",
        send_at=datetime.now(UTC) + timedelta(hours=1),
    )
    assert message.status == "scheduled"
    assert twilio.messages(message.sid).update(status="canceled").status == "canceled"
    with pytest.raises(TwilioRestException) as late:
        twilio.messages(message.sid).update(status="canceled")
    assert late.value.code == 30409


def test_media_are_fetched_and_listed(twilio: Client, application: Application, rest: httpx.Client) -> None:
    picture = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
    application.plan("/picture.gif", Reply(body=picture, content_type="image/gif"))
    message = twilio.messages.create(to=PERSON, from_=US, media_url=[f"{application.url}/picture.gif"])
    assert message.sid.startswith("MM")
    wait_until(lambda: twilio.messages(message.sid).fetch(), lambda m: m.status == "delivered")
    media = twilio.messages(message.sid).media.list()
    assert [one.content_type for one in media] == ["image/gif"]
    redirect = rest.get(f"/Messages/{message.sid}/Media/{media[0].sid}")
    assert redirect.status_code == 307
    assert httpx.get(redirect.headers["location"]).content == picture
    assert media[0].delete()
    assert twilio.messages(message.sid).media.list() == []


def test_media_that_cannot_be_fetched_fail_the_message(twilio: Client, application: Application) -> None:
    application.plan("/gone.gif", Reply(status=404))
    sid = twilio.messages.create(to=PERSON, from_=US, media_url=[f"{application.url}/gone.gif"]).sid
    done = wait_until(lambda: twilio.messages(sid).fetch(), lambda m: m.status == "failed")
    assert done.error_code == 11200


def test_numbers_can_be_found_and_their_webhooks_set(twilio: Client, application: Application) -> None:
    (number,) = twilio.incoming_phone_numbers.list(phone_number=US)
    assert number.sms_url == f"{application.url}/webhooks/twilio/sms#rc=5&rp=all"
    changed = number.update(sms_url="https://example.com/other", sms_fallback_url="https://example.com/fallback")
    fetched = twilio.incoming_phone_numbers(number.sid).fetch()
    assert changed.sms_url == fetched.sms_url == "https://example.com/other"
    assert fetched.sms_fallback_url == "https://example.com/fallback"
    assert twilio.incoming_phone_numbers.list(phone_number="+15550109999") == []


def test_the_account_and_its_services_can_be_read(service_url: str) -> None:
    twilio = client_for(service_url)
    assert twilio.api.v2010.accounts(SID).fetch().status == "active"
    (service,) = twilio.messaging.v1.services.list()
    assert twilio.messaging.v1.services(service.sid).fetch().sid == SERVICE_SID
    pool = twilio.messaging.v1.services(service.sid).phone_numbers.list()
    assert [one.phone_number for one in pool] == ["+15550100100", "+15550100101"]


def test_what_is_not_simulated_is_a_404_in_twilios_words(rest: httpx.Client) -> None:
    answer = rest.get("/Calls.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
