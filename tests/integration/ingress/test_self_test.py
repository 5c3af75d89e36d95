"""The self-test against a whole Parley: it sees what works, and names what does not in one sentence."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from harness.bot_server import SECRET, fails, replies, running_bot
from harness.bot_server import Reply as BotReply
from harness.people import Person, simulator_of, status_of
from harness.ports import free_port
from harness.privacy import leaks
from harness.stack import Stack, running_stack
from parley_dev.processes import BROKER, DECLARE
from parley_simulator.faults import Fault, Place, Rule

pytestmark = pytest.mark.anyio

SERVICES = ("ingress", "agent", "egress", "status")
QUICK = {
    "PARLEY_AGENT_FILE": str(Path(__file__).parents[2] / "e2e" / "agent.toml"),
    "PARLEY_GATHER_S": "0",
    "PARLEY_SENDER_MPS": "500",
    "PARLEY_SETTLE_S": "8",
    "PARLEY_TWILIO_TIMEOUT_S": "2",
}
WORDS = "ECHO is anybody there"
_STEP = re.compile(r".+ \(\d+\.\d\d s\)")


@dataclass(frozen=True)
class Ended:
    """How a self-test ended."""

    code: int
    steps: list[str]
    complaint: str


async def self_test(stack: Stack, contact: str = "", **changes: str) -> Ended:
    """Runs the command as the test pod does, with the settings of the stack and these."""
    environment = {
        **stack.environment,
        **{f"PARLEY_SELF_TEST_{name.upper()}_URL": stack.url(name) for name in SERVICES},
        "PARLEY_SELF_TEST_CONTACT": contact,
        "PARLEY_SELF_TEST_TEXT": WORDS,
        "PARLEY_SELF_TEST_TIMEOUT_S": "20",
        **changes,
    }
    command = [sys.executable, "-m", "parley_ingress.self_test"]
    done = await anyio.run_process(command, env=environment, check=False, stderr=subprocess.PIPE)
    said, complaint = done.stdout.decode(), done.stderr.decode()
    for secret in (stack.environment["TWILIO_AUTH_TOKEN"], stack.environment["PARLEY_API_KEY"], WORDS):
        assert secret not in said + complaint
    assert not re.search(r"555\d{7}", said + complaint), "a number in the output"
    assert complaint.count("\n") <= 1, complaint
    return Ended(done.returncode, said.splitlines(), complaint.strip())


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Stack]:
    """One Parley for the tests that leave it as it was."""
    async with running_stack(tmp_path_factory.mktemp("whole"), settings=QUICK) as stack:
        yield stack
        assert leaks(stack, ["is anybody there"]) == []


async def test_a_text_goes_through_once_and_each_step_is_told(whole: Stack) -> None:
    contact = "+15550190001"
    ended = await self_test(whole, contact)
    assert (ended.code, ended.complaint) == (0, "")
    assert [re.sub(r"SM[0-9a-f]{32}", "SM…", step.partition(" (")[0]) for step in ended.steps] == [
        *(f"{name} is ready" for name in SERVICES),
        "a forged webhook is refused",
        "a webhook signed as Twilio's is recognised",
        "the status API takes the key",
        "ingress has taken the text SM…",
        "the same webhook once more is answered 200",
        "the agent has answered",
        "Twilio has accepted the answer",
        "the answer is delivered",
        "the repeated webhook made no second turn",
        "all is well",
    ]
    assert all(_STEP.fullmatch(step) for step in ended.steps[:-1])
    async with simulator_of(whole) as simulator, status_of(whole) as status:
        assert [text.body for text in await Person(contact, simulator).received()] == ["is anybody there"]
        conversation = await status.conversation(contact)
    assert [message["direction"] for message in conversation["messages"]] == ["inbound", "outbound"]


async def test_it_may_be_run_again_and_again(whole: Stack) -> None:
    for _ in range(2):
        assert (await self_test(whole, "+15550190002")).code == 0


async def test_without_a_contact_nothing_is_sent_or_stored(whole: Stack) -> None:
    async with status_of(whole) as status:
        before = await status.get("/v1/conversations")
        ended = await self_test(whole)
        assert ended.code == 0
        assert ended.steps[-2:] == [
            "no text is sent through: PARLEY_SELF_TEST_CONTACT names nobody",
            "all is well",
        ]
        assert await status.get("/v1/conversations") == before


@pytest.mark.parametrize("contact", ["", "+15550190003"], ids=["without a text", "with a text"])
@pytest.mark.parametrize(
    "changes",
    [
        {"TWILIO_AUTH_TOKEN": "another"},
        {"PARLEY_PUBLIC_URL": "https://elsewhere.example.com"},
        {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32},
    ],
    ids=["token", "public URL", "account"],
)
async def test_what_ingress_has_otherwise_is_named(whole: Stack, changes: dict[str, str], contact: str) -> None:
    ended = await self_test(whole, contact, **changes)
    assert ended.code == 1
    assert ended.complaint.startswith("self-test failed: ingress refuses what is signed for this channel (")
    assert ended.complaint.endswith(
        "it was started with other values of TWILIO_AUTH_TOKEN, PARLEY_PUBLIC_URL or the channel than this test; "
        "restart it with these"
    )


async def test_another_api_key_is_named(whole: Stack) -> None:
    ended = await self_test(whole, PARLEY_API_KEY="another")
    assert ended.code == 1
    assert ended.complaint.startswith(
        "self-test failed: status refuses PARLEY_API_KEY: it was started with another"
    )


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_that_is_down_is_named(whole: Stack, name: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    changes = {f"PARLEY_SELF_TEST_{name.upper()}_URL": nowhere, "PARLEY_SELF_TEST_TIMEOUT_S": "1"}
    ended = await self_test(whole, **changes)
    assert ended.code == 1
    assert ended.complaint.startswith(f"self-test failed: {name} does not answer at {nowhere} (")
    assert "NetworkPolicy" in ended.complaint


async def test_an_address_that_leads_to_something_else_is_named(whole: Stack) -> None:
    changes = {
        "PARLEY_SELF_TEST_STATUS_URL": whole.url("simulator") + "/nothing",
        "PARLEY_SELF_TEST_TIMEOUT_S": "1",
    }
    ended = await self_test(whole, **changes)
    assert ended.code == 1
    assert "is no service of Parley: see where its Service leads" in ended.complaint


async def test_a_keyword_that_twilio_answers_is_no_test(whole: Stack) -> None:
    ended = await self_test(whole, "+15550190004", PARLEY_SELF_TEST_TEXT="HELP")
    assert ended.code == 1
    assert "ended the turn as keyword: Twilio answers this keyword itself: choose another" in ended.complaint


async def test_an_answer_that_twilio_refuses_is_told_with_its_code(whole: Stack) -> None:
    contact = "+15550190005"
    async with simulator_of(whole) as simulator:
        rule = Rule(where=Place.CREATE, what=Fault.STATUS, status=400, code=21211)
        fault = await simulator.add_fault(rule)
        ended = await self_test(whole, contact)
        await simulator.remove_fault(fault.id)
    assert ended.code == 1
    assert ended.complaint.startswith("self-test failed: the answer is failed: ")
    assert "(21211)" in ended.complaint


async def test_an_answer_that_is_not_delivered_in_time_is_accepted_all_the_same(whole: Stack) -> None:
    async with simulator_of(whole) as simulator:
        fault = await simulator.add_fault(Rule(where=Place.CREATE, what=Fault.NEVER_FINAL))
        ended = await self_test(whole, "+15550190006", PARLEY_SELF_TEST_TIMEOUT_S="6")
        await simulator.remove_fault(fault.id)
    assert ended.code == 0, ended.complaint
    assert any(step.startswith("the answer is not delivered yet (") for step in ended.steps)


async def test_a_contact_who_may_not_text_is_named(tmp_path: Path) -> None:
    settings = {**QUICK, "SMS_ALLOWED_USERS": "+15550190099"}
    async with running_stack(tmp_path, settings=settings) as stack:
        ended = await self_test(stack, "+15550190007")
    assert ended.code == 1
    assert "ended the turn as not_allowed: the contact may not text the agent: add it" in ended.complaint


async def test_a_broker_that_is_gone_makes_no_service_ready(tmp_path: Path) -> None:
    async with running_stack(tmp_path, settings=QUICK) as stack:
        stack["nats"].kill()
        ended = await self_test(stack, "+15550190008", PARLEY_SELF_TEST_TIMEOUT_S="3")
    assert ended.code == 1
    assert ended.complaint.startswith("self-test failed: ingress is not ready, its log tells more: the broker")


async def test_a_status_service_that_hangs_is_named(whole: Stack) -> None:
    whole["status"].pause()
    try:
        ended = await self_test(whole, "+15550190009", PARLEY_SELF_TEST_TIMEOUT_S="1")
    finally:
        whole["status"].resume()
    assert ended.code == 1
    assert ended.complaint.startswith("self-test failed: status does not answer at ")
    assert "(no answer in time)" in ended.complaint


async def test_a_status_service_that_reads_other_streams_is_named(tmp_path: Path, whole: Stack) -> None:
    async with running_stack(tmp_path, (BROKER, DECLARE, "status"), _secrets(whole)) as other:
        changes = {"PARLEY_SELF_TEST_STATUS_URL": other.url("status"), "PARLEY_SELF_TEST_TIMEOUT_S": "5"}
        ended = await self_test(whole, "+15550190012", **changes)
    assert ended.code == 1
    assert "status does not show the text SM" in ended.complaint
    assert "see in its log whether it reads the streams" in ended.complaint


def _secrets(stack: Stack) -> dict[str, str]:
    return {name: stack.environment[name] for name in ("PARLEY_API_KEY", "PARLEY_HASH_KEY")}


async def test_a_bot_that_fails_or_stays_silent_is_named(tmp_path: Path) -> None:
    agent = tmp_path / "agent.toml"
    async with running_bot(fails(500)) as bot:
        agent.write_text(
            f'brain = "webhook"\nfailure = "Sorry."\n[webhook]\nurl = "{bot.url}"\n[reply]\nwithin_s = 20\n'
        )
        settings = {**QUICK, "PARLEY_AGENT_FILE": str(agent), "PARLEY_WEBHOOK_SECRET": SECRET}
        async with running_stack(tmp_path / "stack", settings=settings) as stack:
            failed = await self_test(stack, "+15550190010")
            bot.answering = replies(BotReply(body=b"{}", after_s=60.0))
            silent = await self_test(stack, "+15550190011", PARLEY_SELF_TEST_TIMEOUT_S="4")
    assert (failed.code, silent.code) == (1, 1)
    assert "ended the turn as failed: the brain gave no answer" in failed.complaint
    assert "the agent has not answered the text SM" in silent.complaint


async def test_what_is_not_set_is_one_sentence_and_help_names_every_variable() -> None:
    command = [sys.executable, "-m", "parley_ingress.self_test"]
    unset = await anyio.run_process(command, env={}, check=False)
    assert unset.returncode == 1
    assert unset.stderr.decode() == "PARLEY_SELF_TEST_INGRESS_URL is not set: set it in the environment\n"
    shown = (await anyio.run_process([*command, "--help"], env={})).stdout.decode()
    for name in ("PARLEY_SELF_TEST_CONTACT", "PARLEY_SELF_TEST_TIMEOUT_S", "PARLEY_PUBLIC_URL", "PARLEY_API_KEY"):
        assert name in shown
