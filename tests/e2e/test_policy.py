"""Every rule of policy through the whole path, each with a number of its own (P8, P14).

Caps of answers, loops and countries are in ``test_abuse``, late texts in ``test_late_answers``, people who answer
in place of the agent in ``test_takeover``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from e2e.conftest import QUICK
from e2e.test_abuse import outcomes
from harness.model_replies import says
from harness.model_server import ModelServer, running_model_server
from harness.people import Person, StatusApi, simulator_of, status_of
from harness.privacy import leaks
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.channels import QUICK_START
from parley_common.events import OutboundMessage, Reply
from parley_common.identity import Identity
from parley_simulator.control import SimulatorControl

pytestmark = pytest.mark.anyio

SCRIPT = """
brain = "scripted"
fallback = "You said: {text}"

[commands.ECHO]
reply = "{text}"
"""
CONFIRMED = "Fine, no more texts. START brings us back."
LISTED = "+15550170201"


@asynccontextmanager
async def parley(
    folder: Path, settings: Mapping[str, str], script: str = SCRIPT
) -> AsyncIterator[tuple[Stack, SimulatorControl, StatusApi]]:
    """A Parley with settings and an agent of its own."""
    file = folder / "agent.toml"
    file.write_text(f'refused = "{CONFIRMED}"\n{script}')
    async with (
        running_stack(folder / "stack", settings={**QUICK, "PARLEY_AGENT_FILE": str(file), **settings}) as stack,
        simulator_of(stack) as simulator,
        status_of(stack) as status,
    ):
        yield stack, simulator, status
        assert leaks(stack, ("texting me", "mensajes", CONFIRMED)) == []


@pytest.fixture(scope="module")
async def everybody(
    tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[tuple[Stack, SimulatorControl, StatusApi]]:
    """A Parley that answers everybody, and HELP."""
    async with parley(tmp_path_factory.mktemp("everybody"), {"PARLEY_HELP_TEXT": "Call us."}) as running:
        yield running


@pytest.fixture(scope="module")
async def few(
    tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[tuple[Stack, SimulatorControl, StatusApi]]:
    """A Parley that answers one person, and only once they were texted."""
    settings = {"SMS_ALLOWED_USERS": LISTED, "PARLEY_PEOPLE_MAY_START": "false"}
    async with parley(tmp_path_factory.mktemp("few"), settings) as running:
        yield running


Running = tuple[Stack, SimulatorControl, StatusApi]


async def bodies(person: Person, count: int) -> list[str]:
    return [text.body for text in await person.wait_for(count)]


async def opted_out(status: StatusApi, person: Person) -> bool:
    async def heard() -> bool:
        conversation = await status.conversation(person.number)
        return bool(conversation and conversation["opted_out"])

    return await wait_until(heard, what="the opt-out in the status API")


async def test_a_text_from_a_number_of_ours_is_no_text_to_answer(everybody: Running) -> None:
    stack, simulator, status = everybody
    ourselves = Person(stack.environment["TWILIO_PHONE_NUMBER"], simulator)
    await ourselves.text("ECHO hello")
    assert await outcomes(status, ourselves, 1) == ["echo"]
    assert await ourselves.received() == []


async def test_stop_and_start_are_answered_by_twilio_alone(everybody: Running) -> None:
    _, simulator, status = everybody
    person = Person("+15550170101", simulator)
    for word in ("STOP", "ECHO are you there?", "START", "ECHO and now?"):
        await person.text(word)
    assert await outcomes(status, person, 4) == ["keyword", "opted_out", "keyword", "answered"]
    assert (await bodies(person, 1))[-1] == "and now?"


async def test_help_is_answered_with_the_channels_text(everybody: Running) -> None:
    _, simulator, status = everybody
    person = Person("+15550170102", simulator)
    await person.text("help")
    assert await bodies(person, 1) == ["Call us."]
    assert await outcomes(status, person, 1) == ["keyword"]


async def test_help_that_twilio_has_answered_is_answered_by_nobody_else(everybody: Running) -> None:
    _, simulator, status = everybody
    person = Person("+15550170103", simulator)
    await simulator.change_settings(advanced_opt_out=True)
    try:
        await person.text("help")
    finally:
        await simulator.change_settings(advanced_opt_out=False)
    await person.text("ECHO thanks")
    assert await outcomes(status, person, 2) == ["keyword", "answered"]
    assert await bodies(person, 1) == ["thanks"]


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        ("+15550170104", "Please stop texting me!"),
        ("+15550170105", "take me off your list"),
        ("+15550170106", "Dejen de mandarme mensajes"),
        ("+15550170107", "STOP PLEASE"),
    ],
)
async def test_p8_who_refuses_in_own_words_is_told_once_and_texted_no_more_until_they_start(
    everybody: Running, number: str, refusal: str
) -> None:
    _, simulator, status = everybody
    person = Person(number, simulator)
    await person.text(refusal)
    assert await bodies(person, 1) == [CONFIRMED]
    assert await opted_out(status, person)
    await person.text("ECHO one more thing")
    assert await outcomes(status, person, 2) == ["refused", "opted_out"]
    await person.text(refusal)
    assert await outcomes(status, person, 3) == ["refused", "opted_out", "refused"]
    assert len(await status.outbound(number)) == 1
    assert await bodies(person, 1) == [CONFIRMED]
    await person.text("START")
    await person.text("ECHO hello again")
    assert await bodies(person, 2) == [CONFIRMED, "hello again"]


async def test_who_only_uses_the_same_words_is_answered(everybody: Running) -> None:
    _, simulator, status = everybody
    person = Person("+15550170108", simulator)
    for n, body in enumerate(("ECHO can I stop by the shop?", "ECHO please don't stop texting me"), start=1):
        await person.text(body)
        assert (await bodies(person, n))[-1] == body.removeprefix("ECHO ")
    assert await outcomes(status, person, 2) == ["answered"] * 2


async def test_who_is_not_on_the_list_is_not_answered_and_their_refusal_is_heard(few: Running) -> None:
    _, simulator, status = few
    stranger = Person("+15550170202", simulator)
    for body in ("ECHO hello", "please stop texting me"):
        await stranger.text(body)
    assert await outcomes(status, stranger, 2) == ["not_allowed", "refused"]
    assert await opted_out(status, stranger)
    assert await stranger.received() == []


async def test_help_is_left_to_twilio_where_the_channel_has_no_text_for_it(few: Running) -> None:
    _, simulator, status = few
    person = Person("+15550170203", simulator)
    await person.text("HELP")
    assert await outcomes(status, person, 1) == ["keyword"]
    assert await person.received() == []


async def test_only_whom_we_texted_is_answered_where_people_may_not_start(few: Running) -> None:
    stack, simulator, status = few
    person = Person(LISTED, simulator)
    await person.text("ECHO hello?")
    assert await outcomes(status, person, 1) == ["not_started"]
    assert await person.received() == []
    await notify(stack, person, "Your parcel is here.")
    assert await bodies(person, 1) == ["Your parcel is here."]
    await person.text("ECHO which parcel?")
    assert await bodies(person, 2) == ["Your parcel is here.", "which parcel?"]


async def test_an_offline_channel_says_so_once_and_answers_nobody(tmp_path: Path, anyio_backend: str) -> None:
    settings = {"PARLEY_OFFLINE": "true", "PARLEY_OFFLINE_TEXT": "We are closed."}
    async with parley(tmp_path, settings) as (_, simulator, status):
        person, other = Person("+15550170301", simulator), Person("+15550170302", simulator)
        for n in range(3):
            await person.text(f"ECHO {n}")
        await other.text("leave me alone")
        assert await outcomes(status, person, 3) == ["offline"] * 3
        assert await bodies(person, 1) == ["We are closed."]
        assert await bodies(other, 1) == [CONFIRMED]


@pytest.mark.long
async def test_who_has_used_up_the_days_tokens_is_told_once(tmp_path: Path, anyio_backend: str) -> None:
    async with running_model_server() as model:
        model.otherwise = says("I am a model.", usage=(100, 20))
        script = 'brain = "llm"\ndaily_tokens = 240\ncapped = "Enough for today."\n'
        await _two_turns_and_no_more(tmp_path, script, model)


async def _two_turns_and_no_more(folder: Path, script: str, model: ModelServer) -> None:
    settings = {"PARLEY_LLM_BASE_URL": model.base_url, "PARLEY_MODEL": "test-model"}
    async with parley(folder, settings, script) as (_, simulator, status):
        person, other = Person("+15550170401", simulator), Person("+15550170402", simulator)
        for n in range(4):
            await person.text(f"question {n}")
            await outcomes(status, person, n + 1)
        assert await outcomes(status, person, 4) == ["answered"] * 2 + ["capped"] * 2
        assert await bodies(person, 3) == ["I am a model."] * 2 + ["Enough for today."]
        await other.text("and I?")
        assert await bodies(other, 1) == ["I am a model."]
        assert len(model.asked) == 3


async def notify(stack: Stack, person: Person, text: str) -> None:
    """Texts a person without a turn."""
    identity, now = Identity(stack.environment["PARLEY_HASH_KEY"].encode()), datetime.now(UTC)
    note = OutboundMessage(
        id=f"note-{person.number}",
        at=now,
        channel=QUICK_START,
        conversation=identity.conversation(QUICK_START, person.number),
        sender=stack.environment["TWILIO_PHONE_NUMBER"],
        contact=person.number,
        expires_at=now + timedelta(hours=1),
        messages=(Reply(id=f"note-{person.number}-0", text=text),),
    )
    bus = Bus(Broker(stack.nats_url), name="test")
    await bus.connect()
    try:
        await bus.publish(topology.outbound(note.conversation, note.priority), note)
    finally:
        await bus.close()
