"""Scripted faults, seen from the application's side of the wire."""

import time

import httpx
import pytest

from integration.simulator.application import Application, wait_until
from integration.simulator.twilio_client import PERSON, SID, TOKEN, US

SMS = "/webhooks/twilio/sms"
STATUS = "/webhooks/twilio/status"
FIELDS = {"To": PERSON, "From": US, "Body": "hello"}


def fault(control: httpx.Client, **rule: object) -> str:
    answer = control.post("/faults", json=rule)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def create(rest: httpx.Client, **more: str) -> httpx.Response:
    return rest.post("/Messages.json", data=FIELDS | more)


def count(control: httpx.Client) -> int:
    return len(control.get("/messages").json()["messages"])


def test_429_strikes_as_often_as_it_says(control: httpx.Client, rest: httpx.Client) -> None:
    fault(control, where="create", what="status", status=429, code=20429, times=2)
    answers = [create(rest) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 201]
    assert answers[0].json()["code"] == 20429
    assert count(control) == 1
    (active,) = control.get("/faults").json()
    assert (active["fired"], active["left"]) == (2, 0)


def test_a_429_of_a_proxy_is_html(control: httpx.Client, rest: httpx.Client) -> None:
    fault(control, where="create", what="429_html", times=1)
    answer = create(rest)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (429, "text/html")
    assert count(control) == 0


@pytest.mark.parametrize(
    ("what", "created"),
    [
        pytest.param("reset_before", 0, id="before anything happened"),
        pytest.param("reset_after_create", 1, id="after it was created"),
    ],
)
def test_a_broken_connection_may_or_may_not_have_created(
    control: httpx.Client, rest: httpx.Client, what: str, created: int
) -> None:
    fault(control, where="create", what=what, times=1)
    with pytest.raises(httpx.TransportError):
        create(rest)
    assert count(control) == created
    assert control.get("/log").json()["entries"][-1]["status"] is None
    assert create(rest).status_code == 201


def test_silence_after_creating_ends_in_a_reset(control: httpx.Client, rest: httpx.Client) -> None:
    fault(control, where="create", what="timeout_after_create", delay_s=0.3, times=1)
    started = time.monotonic()
    with pytest.raises(httpx.TransportError):
        create(rest)
    assert time.monotonic() - started >= 0.3
    assert count(control) == 1


def test_who_gives_up_waiting_leaves_a_simulator_that_works(control: httpx.Client, rest: httpx.Client) -> None:
    fault(control, where="create", what="timeout_after_create", delay_s=0.4, times=1)
    with pytest.raises(httpx.ReadTimeout):
        rest.post("/Messages.json", data=FIELDS, timeout=0.1)
    wait_until(lambda: control.get("/log").json()["entries"], lambda entries: len(entries) == 1)
    answer = create(rest)
    assert (answer.status_code, answer.headers["Twilio-Concurrent-Requests"]) == (201, "1")


def test_a_5xx_may_come_although_it_was_created(control: httpx.Client, rest: httpx.Client) -> None:
    fault(control, where="create", what="status_after_create", status=502, times=1)
    assert create(rest).status_code == 502
    assert count(control) == 1


def test_a_rule_is_only_about_what_it_matches(control: httpx.Client, rest: httpx.Client) -> None:
    fault(control, where="create", what="status", match={"to": PERSON, "body_contains": "bad"})
    assert create(rest).status_code == 201
    assert create(rest, Body="a bad one").status_code == 503
    assert create(rest, Body="a bad one", To="+12025550199").status_code == 201


def test_probability_repeats_with_its_seed(control: httpx.Client, rest: httpx.Client) -> None:
    def run() -> list[int]:
        control.delete("/faults")
        fault(control, where="create", what="status", probability=0.5, seed=7)
        return [create(rest).status_code for _ in range(20)]

    first = run()
    assert set(first) == {201, 503}
    assert run() == first


def test_the_callback_can_come_before_the_answer(
    control: httpx.Client, rest: httpx.Client, application: Application
) -> None:
    fault(control, where="create", what="callback_before_response")
    answer = create(rest, StatusCallback=application.url + STATUS)
    answered_at = time.monotonic()
    assert answer.status_code == 201
    assert application.at(STATUS)[0].at < answered_at
    assert answer.json()["status"] == "queued"


@pytest.mark.parametrize(
    ("code", "statuses"),
    [
        pytest.param(30003, ["sent", "undelivered"], id="the carrier says so"),
        pytest.param(30001, ["failed"], id="it never left"),
    ],
)
def test_an_error_can_come_later(
    control: httpx.Client, rest: httpx.Client, application: Application, code: int, statuses: list[str]
) -> None:
    fault(control, where="create", what="async_error", code=code)
    create(rest, StatusCallback=application.url + STATUS)
    received = application.wait_for(STATUS, len(statuses))
    assert [one.form["MessageStatus"] for one in received] == statuses
    assert received[-1].form["ErrorCode"] == str(code)
    assert received[-1].form["ErrorMessage"]
    assert control.get(f"/phones/{PERSON}").json()["texts"] == []


def test_a_message_can_stay_sent_for_ever(
    control: httpx.Client, rest: httpx.Client, application: Application
) -> None:
    fault(control, where="create", what="never_final", times=1)
    create(rest, StatusCallback=application.url + STATUS)
    create(rest, Body="the next", StatusCallback=application.url + STATUS)
    received = application.wait_for(STATUS, 3)
    wait_until(lambda: control.get(f"/phones/{PERSON}").json()["texts"], lambda texts: len(texts) == 2)
    assert sorted(one.form["MessageStatus"] for one in received) == ["delivered", "sent", "sent"]


def test_callbacks_can_come_twice_backwards_or_not_at_all(
    control: httpx.Client, rest: httpx.Client, application: Application
) -> None:
    fault(control, where="callback", what="duplicate_callbacks", match={"body_contains": "twice"})
    fault(control, where="callback", what="reorder_callbacks", match={"body_contains": "backwards"})
    fault(control, where="callback", what="drop_callback", match={"body_contains": "lost", "status": "sent"})
    callback = application.url + STATUS
    bodies = {
        create(rest, Body=body, StatusCallback=callback).json()["sid"]: body
        for body in ("twice", "backwards", "lost")
    }
    application.wait_for(STATUS, 7)
    seen: dict[str, list[str]] = {}
    for one in application.at(STATUS):
        seen.setdefault(bodies[one.form["MessageSid"]], []).append(one.form["MessageStatus"])
    assert seen == {
        "twice": ["sent", "sent", "delivered", "delivered"],
        "backwards": ["delivered", "sent"],
        "lost": ["delivered"],
    }


def test_a_text_can_be_posted_twice_or_never(control: httpx.Client, application: Application) -> None:
    fault(control, where="webhook", what="duplicate_webhook", match={"body_contains": "twice"})
    fault(control, where="webhook", what="drop_webhook", match={"body_contains": "never"})
    control.post("/inbound", json={"from": PERSON, "body": "never"})
    control.post("/inbound", json={"from": PERSON, "body": "twice"})
    received = application.wait_for(SMS, 2)
    assert [one.form["Body"] for one in received] == ["twice", "twice"]
    assert control.get("/log").json()["debugger"][0]["code"] == 30039


def test_a_lost_answer_makes_twilio_try_again(control: httpx.Client, application: Application) -> None:
    fault(control, where="webhook", what="lost_answer", times=1)
    control.post("/inbound", json={"from": PERSON, "body": "hi"})
    first, second = application.wait_for(SMS, 2)
    assert first.form == second.form


def test_media_can_be_missing_at_first(control: httpx.Client, application: Application) -> None:
    fault(control, where="media", what="media_404_first", count=2)
    media = [{"content_type": "image/png", "data": "aGVsbG8="}]
    control.post("/inbound", json={"from": PERSON, "media": media})
    (received,) = application.wait_for(SMS, 1)
    statuses = [httpx.get(received.form["MediaUrl0"], auth=(SID, TOKEN)).status_code for _ in range(3)]
    assert statuses == [404, 404, 307]


def test_fetching_can_fail(control: httpx.Client, rest: httpx.Client) -> None:
    sid = create(rest).json()["sid"]
    fault(control, where="fetch", what="status", status=500, times=2)
    assert rest.get("/Messages.json").status_code == 500
    assert rest.get(f"/Messages/{sid}.json").status_code == 500
    assert rest.get(f"/Messages/{sid}.json").status_code == 200


def test_a_rate_makes_texts_wait_in_segments(control: httpx.Client, rest: httpx.Client) -> None:
    control.post("/settings", json={"segments_per_s": 10, "sent_after_s": 0, "delivered_after_s": 0})
    for body in ("x" * 300, "second", "third"):
        create(rest, Body=body)
    texts = wait_until(lambda: control.get(f"/phones/{PERSON}").json()["texts"], lambda found: len(found) == 3)
    times = [one["arrived_at"] for one in texts]
    assert [one["body"][:6] for one in texts] == ["xxxxxx", "second", "third"]
    assert times[1] - times[0] >= 0.19
    assert 0.09 <= times[2] - times[1] < 0.19


def test_a_full_queue_refuses_a_named_number(control: httpx.Client, rest: httpx.Client) -> None:
    control.post("/settings", json={"segments_per_s": 1, "queue_limit_s": 1})
    answers = [create(rest) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].json()["code"] == 21611


def test_too_many_requests_at_one_time_get_20429(control: httpx.Client, rest: httpx.Client) -> None:
    control.post("/settings", json={"rest_concurrency": 1})
    fault(control, where="create", what="delay", delay_s=1, times=1)
    with httpx.Client(auth=(SID, TOKEN), timeout=10) as other:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor() as pool:
            slow = pool.submit(create, rest)
            wait_until(lambda: control.get("/faults").json()[0]["fired"], lambda fired: fired == 1)
            refused = other.get(f"{rest.base_url}Messages.json")
            assert (refused.status_code, refused.json()["code"]) == (429, 20429)
            assert slow.result().status_code == 201
