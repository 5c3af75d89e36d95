"""The control routes: what they give, what they refuse, and the typed client."""

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace

import httpx
import pytest

from integration.simulator.application import Application
from integration.simulator.twilio_client import PERSON, SERVICE_SID, SID, TOKEN, US
from parley_simulator.control import RefusedError, SimulatorControl
from parley_simulator.control_shapes import InboundText, TokenChange
from parley_simulator.faults import Fault, Place, Rule
from parley_simulator.server import serving
from parley_simulator.settings import Settings, SettingsError


@pytest.mark.parametrize(
    ("path", "body", "field", "fix"),
    [
        pytest.param("faults", {"where": "here", "what": "status"}, "where", "one of: create", id="no such place"),
        pytest.param("faults", {"where": "create"}, "what", "what is one of: status", id="a field is missing"),
        pytest.param("faults", {"where": "media", "what": "never_final"}, "where", "choose", id="misplaced"),
        pytest.param(
            "faults", {"where": "create", "what": "status", "wht": 1}, "wht", "the fields are: where", id="unknown"
        ),
        pytest.param("faults", {"where": "create", "what": "status", "times": 0}, "times", "correct", id="range"),
        pytest.param("settings", {"sent_after_s": "soon"}, "sent_after_s", "correct", id="not a number"),
        pytest.param("settings", {"sent_after": 1}, "sent_after", "the fields are", id="no such setting"),
        pytest.param("inbound", {"from": "x", "body": "hi"}, "from", "+15550100123", id="no such person"),
        pytest.param("inbound", {"from": PERSON}, "body", "body or media", id="an empty text"),
        pytest.param("tokens", {"promote": True}, "promote", "give next", id="nothing to promote"),
        pytest.param("redeliver", {"sid": "SM1"}, "sid", "messages", id="no such message"),
    ],
)
def test_a_bad_request_names_the_field_and_the_fix(
    control: httpx.Client, path: str, body: dict[str, object], field: str, fix: str
) -> None:
    answer = control.post(f"/{path}", json=body)
    refusal = answer.json()
    assert 400 <= answer.status_code < 500
    assert refusal["field"] == field
    assert fix in refusal["fix"]
    assert refusal["error"]


def test_what_is_not_json_is_refused(control: httpx.Client) -> None:
    answer = control.post("/faults", content=b"where=create")
    assert (answer.status_code, answer.json()["fix"]) == (400, "send a JSON object")


def test_a_number_of_somebody_else_cannot_be_texted(control: httpx.Client) -> None:
    answer = control.post("/inbound", json={"from": PERSON, "to": "+15550109999", "body": "hi"})
    assert (answer.status_code, answer.json()["field"]) == (404, "to")
    assert US in answer.json()["fix"]


def test_many_texts_at_once_keep_their_order(control: httpx.Client, application: Application) -> None:
    sids = control.post("/inbound", json={"from": PERSON, "body": "text", "count": 20}).json()["sids"]
    rows = control.get("/messages", params={"direction": "inbound"}).json()["messages"]
    assert [row["sid"] for row in rows] == sids
    assert [row["body"] for row in rows][:2] == ["text 1", "text 2"]
    assert [row["sequence"] for row in rows] == list(range(1, 21))
    application.wait_for("/webhooks/twilio/sms", 20)


def test_messages_can_be_followed_by_sequence(control: httpx.Client) -> None:
    control.post("/inbound", json={"from": PERSON, "body": "text", "count": 5})
    first = control.get("/messages", params={"limit": 3}).json()
    rest = control.get("/messages", params={"since_sequence": first["last_sequence"]}).json()
    assert [row["body"] for row in first["messages"] + rest["messages"]] == [f"text {n}" for n in range(1, 6)]
    assert (first["more"], rest["more"]) == (True, False)
    assert control.get("/messages", params={"from": "+12025550199"}).json()["messages"] == []


def test_reset_forgets_everything_and_keeps_counting(control: httpx.Client, rest: httpx.Client) -> None:
    control.post("/inbound", json={"from": PERSON, "body": "stop"})
    control.post("/faults", json={"where": "create", "what": "status"})
    control.post("/settings", json={"sent_after_s": 9})
    assert control.post("/reset").status_code == 204
    assert control.get("/faults").json() == []
    assert control.get("/settings").json()["sent_after_s"] == 0.05
    assert control.get(f"/phones/{PERSON}").json()["texts"] == []
    assert rest.post("/Messages.json", data={"To": PERSON, "From": US, "Body": "x"}).status_code == 201
    (row,) = control.get("/messages").json()["messages"]
    assert row["sequence"] > 1


def test_segments_are_counted_as_everywhere_else(control: httpx.Client) -> None:
    short = control.post("/segments", json={"body": "hello {}"}).json()
    assert short == {"encoding": "GSM-7", "segments": 1, "used": 10, "room": 160}
    long = control.post("/segments", json={"body": "ж" * 71}).json()
    assert long == {"encoding": "UCS-2", "segments": 2, "used": 71, "room": 134}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="a page of another site"),
        pytest.param({"Origin": "null"}, id="a sandboxed page"),
        pytest.param({"Host": "evil.example"}, id="a name bent to this machine"),
    ],
)
def test_other_sites_may_not_steer_it(control: httpx.Client, headers: dict[str, str]) -> None:
    assert control.post("/reset", headers=headers).status_code == 403
    assert control.get("/messages", headers=headers).status_code == 403


def test_its_own_page_may_steer_it(control: httpx.Client, url: str) -> None:
    assert control.post("/reset", headers={"Origin": url}).status_code == 204


def test_nothing_shows_a_token(control: httpx.Client) -> None:
    for path in ("/account", "/log", "/settings", "/messages"):
        assert TOKEN not in control.get(path).text


def test_events_tell_of_a_text_and_its_answer(control: httpx.Client) -> None:
    names: list[str] = []
    with control.stream("GET", "/events") as events:
        lines = events.iter_lines()
        assert "event: hello" in (next(lines), next(lines))
        sid = control.post("/inbound", json={"from": PERSON, "body": "hi"}).json()["sid"]
        for line in lines:
            if line.startswith("event: "):
                names.append(line.removeprefix("event: "))
            elif line.startswith("data: ") and names and names[-1] == "message":
                row = json.loads(line.removeprefix("data: "))
                assert row["sid"] == sid
                if row["answer"] == "answered":
                    break
    assert "log" in names


def test_health_is_served(url: str) -> None:
    assert [httpx.get(f"{url}/{path}").status_code for path in ("livez", "readyz")] == [200, 200]


@pytest.mark.anyio
async def test_the_client_texts_waits_and_steers(url: str) -> None:
    async with SimulatorControl(url) as control:
        assert (await control.account()).numbers[0] == US
        active = await control.add_fault(Rule(where=Place.WEBHOOK, what=Fault.DUPLICATE_WEBHOOK, times=1))
        accepted = await control.text(InboundText(sender=PERSON, body="hi"))
        texts = await control.wait_for_phone(PERSON, lambda texts: bool(texts and texts[0].answer == "answered"))
        assert [text.sid for text in texts] == [accepted.sid]
        assert (await control.faults())[0].fired == 1
        await control.remove_fault(active.id)
        assert (await control.change_settings(sent_after_s=0.01)).sent_after_s == 0.01
        await control.redeliver(accepted.sid)
        assert (await control.change_tokens(TokenChange(next="another token"))).has_next
        page = await control.messages(person=PERSON)
        assert [message.sid for message in page.messages] == [accepted.sid]
        assert (await control.log()).entries
        await control.clear_faults()
        await control.reset()
        assert (await control.phone(PERSON)).texts == ()


@pytest.mark.anyio
async def test_the_client_says_what_was_refused_and_when_it_waited_too_long(url: str) -> None:
    async with SimulatorControl(url) as control:
        with pytest.raises(RefusedError, match="write it as") as refused:
            await control.text(InboundText(sender="nobody", body="hi"))
        assert (refused.value.status, refused.value.refusal.field) == (400, "from")
        with pytest.raises(TimeoutError, match="0 texts"):
            await control.wait_for_phone(PERSON, lambda texts: len(texts) > 0, within_s=0.1)


def test_a_taken_port_is_one_sentence(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        busy = Settings(SID, TOKEN, (US,), settings.public_url, SERVICE_SID, port)
        with pytest.raises(SettingsError, match=f"Port {port} on 127.0.0.1") as refused, serving(busy):
            pass
    assert str(refused.value).endswith("PARLEY_SIMULATOR_PORT.")


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as free:
            free.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_the_address_of_an_ipv6_host_is_one_that_a_client_can_open(settings: Settings) -> None:
    with serving(replace(settings, host="::1")) as url:
        assert url.startswith("http://[::1]:")
        assert httpx.get(url).status_code == 200


def start(**environ: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TWILIO", "PARLEY"))}
    return subprocess.Popen(
        [sys.executable, "-m", "parley_simulator"],
        env=clean | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_missing_setting_ends_the_program_with_2_and_one_line() -> None:
    with start() as process:
        _, words = process.communicate(timeout=20)
    assert process.returncode == 2
    assert words.count("\n") == 1
    assert "TWILIO_ACCOUNT_SID" in words


@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, id="term"), pytest.param(signal.SIGINT, id="^C")])
def test_the_program_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    settings = {
        "TWILIO_ACCOUNT_SID": SID,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_PHONE_NUMBER": US,
        "PARLEY_PUBLIC_URL": "http://127.0.0.1:9",
        "PARLEY_SIMULATOR_PORT": "0",
    }
    with start(**settings) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        assert httpx.get(f"{address}readyz", timeout=20).status_code == 200
        process.send_signal(number)
        _, words = process.communicate(timeout=20)
    assert (words, process.returncode) == ("", 0)
