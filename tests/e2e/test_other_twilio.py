"""``make run`` with an account: no simulator, and the path works against whatever has Twilio's shape."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from harness.ports import free_port
from harness.twilio_shaped import TwilioShaped, twilio_shaped
from harness.waiting import wait_until
from parley_dev.addresses import VARIABLES

pytestmark = [pytest.mark.anyio, pytest.mark.long]

ACCOUNT, TOKEN = "AC" + "5a" * 16, "0123456789abcdef0123456789abcdef"
NUMBER, PERSON = "+15550140000", "+15550141111"


@contextmanager
def make_run(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """What ``make run`` starts, ended by a ^C."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "parley_dev"],
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


async def test_with_an_account_nothing_of_the_simulator_is_started_and_the_path_works(tmp_path: Path) -> None:
    ports = {variable: str(free_port()) for variable in VARIABLES.values()}
    log = tmp_path / "run.log"
    async with twilio_shaped(ACCOUNT, TOKEN) as twilio:
        environment = ports | {
            "PARLEY_DATA_DIR": str(tmp_path / "data"),
            "PARLEY_API_KEY": "k" * 32,
            "PARLEY_GATHER_S": "0",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_PHONE_NUMBER": NUMBER,
            "TWILIO_API_BASE_URL": twilio.url,
            "SMS_ALLOWED_USERS": PERSON,
        }
        with make_run(environment, log):
            await wait_until(lambda: "Parley is ready" in log.read_text(), 30.0, what="Parley being ready")
            assert not listens(int(ports["PARLEY_SIMULATOR_PORT"]))
            await _text(twilio, ports["SMS_WEBHOOK_PORT"])
            await wait_until(lambda: len(twilio.callback_answers) == 2, 20.0, what="both callbacks")
            await _delivered(ports["PARLEY_STATUS_PORT"])
    assert [message["Body"] for message in twilio.created] == [
        "See where order 10234 is: https://shop.example/orders/10234"
    ]
    assert (twilio.created[0]["From"], twilio.created[0]["To"]) == (NUMBER, PERSON)
    assert twilio.callback_answers == [200, 200]
    assert "simulator" not in log.read_text()


def listens(port: int) -> bool:
    """Whether somebody listens on this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _text(twilio: TwilioShaped, port: str) -> None:
    form = {
        "MessageSid": "SM" + "ab" * 16,
        "AccountSid": ACCOUNT,
        "From": PERSON,
        "To": NUMBER,
        "Body": "ORDER 10234",
        "NumMedia": "0",
        "FromCity": "",
    }
    assert await twilio.post_signed(f"http://127.0.0.1:{port}/webhooks/twilio/sms", form) == 200


async def _delivered(port: str) -> None:
    headers = {"Authorization": "Bearer " + "k" * 32}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", headers=headers) as http:

        async def state() -> bool:
            listed = (await http.get("/conversations")).json()["conversations"]
            conversation = (await http.get(f"/conversations/{listed[0]['id']}")).json()
            return bool(conversation["messages"][-1]["state"] == "delivered")

        await wait_until(state, 20.0, what="the reply being delivered")
