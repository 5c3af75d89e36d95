"""An answer that is Markdown or HTML, from the agent to the phone: what a person reads by SMS and on WhatsApp."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from e2e.conftest import QUICK
from harness.people import Person, simulator_of
from harness.stack import Stack, running_stack
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.events import OutboundMessage, Priority, Reply
from parley_common.identity import Identity

pytestmark = [pytest.mark.anyio, pytest.mark.long]

AGENT = '''
fallback = "You said: {text}"

[commands.MARKDOWN]
reply = """
# Prices

- **Now** ~~$50~~ $30
- 2*3*4 = 24, snake_case

| Size | Left |
|------|------|
| S    | 3    |

[Our shop](https://shop.example.com/a_b?c=d)"""

[commands.PAGE]
reply = """
<!DOCTYPE html>
<html><head><title>Shop</title><style>p { color: red }</style></head>
<body>
    <h1>Prices</h1>

    <p>Now <b>$30</b> &amp; <a href="https://shop.example.com/?a=1&amp;b=2">more</a></p>

    <ol>
      <li>one</li>
      <li>two</li>
    </ol>
    <script>alert("no");</script>
</body></html>"""

[commands.EMOJI]
reply = "**Yes** 👍🏽 – “sure”"
'''

READS = {
    "MARKDOWN": (
        "Prices\n\n- Now ~$50~ $30\n- 2*3*4 = 24, snake_case\n\nSize: Left\nS: 3\n\n"
        "Our shop (https://shop.example.com/a_b?c=d)"
    ),
    "PAGE": "Prices\n\nNow $30 & more (https://shop.example.com/?a=1&b=2)\n\n1. one\n2. two",
    "EMOJI": "Yes 👍🏽 – “sure”",
}


@pytest.fixture(scope="module")
async def formatted(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Stack]:
    """A Parley whose agent answers with formatting."""
    folder = tmp_path_factory.mktemp("formatted")
    agent_file = folder / "agent.toml"
    agent_file.write_text(AGENT)
    settings = QUICK | {"PARLEY_AGENT_FILE": str(agent_file)}
    async with running_stack(Path(folder) / "stack", settings=settings) as stack:
        yield stack


async def test_a_formatted_answer_reads_like_a_text(formatted: Stack) -> None:
    async with simulator_of(formatted) as simulator:
        for number, (word, text) in enumerate(READS.items()):
            person = Person(f"+1555018{number:04d}", simulator)
            await person.text(word)
            assert [received.body for received in await person.wait_for(1)] == [text]


async def test_on_whatsapp_the_formatting_stays(formatted: Stack) -> None:
    async with simulator_of(formatted) as simulator:
        person = Person("whatsapp:+15550180100", simulator)
        bus = Bus(Broker(formatted.nats_url), name="test-operator")
        await bus.connect()
        now = datetime.now(UTC)
        conversation = Identity(formatted.environment["PARLEY_HASH_KEY"].encode()).conversation(
            "default", person.number
        )
        message = OutboundMessage(
            id=secrets.token_hex(8),
            at=now,
            channel="default",
            conversation=conversation,
            sender=formatted.environment["TWILIO_PHONE_NUMBER"],
            contact=person.number,
            expires_at=now + timedelta(hours=1),
            messages=(Reply(id=secrets.token_hex(8), text="# Prices\n**Now** ~~$50~~ _only_ “$30”"),),
            priority=Priority.OPERATOR,
        )
        await bus.publish(topology.outbound(conversation, message.priority), message)
        assert [text.body for text in await person.wait_for(1)] == ["*Prices*\n*Now* ~$50~ _only_ “$30”"]
        await bus.close()
