"""Pictures in and out with all services as processes: what people attach is kept, what an agent sends arrives."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from harness.people import Person
from harness.privacy import leaks
from harness.stack import Stack, running_stack
from harness.waiting import wait_until
from parley_common import topology
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.events import PartAttempted
from parley_common.identity import Identity
from parley_common.media_links import MediaLinks, hosted_url, out_name
from parley_common.media_store import MediaStore, Medium
from parley_common.takeover import take
from parley_simulator.control import SimulatorControl
from parley_simulator.control_shapes import Attachment, InboundText, MessageView
from parley_simulator.faults import Fault, Match, Place, Rule

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 700
GIF = b"GIF89a" + b"a moving picture" * 40
AGENT = """
greeting = "Hello, I saw what you sent."
picture = "It is a picture."
fallback = "You wrote: {text}"

[commands.PICTURE]
reply = { text = "Here you are.", media = ["cat.png"] }

[commands.ONLY]
reply = { media = ["cat.png"] }

[commands.OUTSIDE]
reply = { text = "There is no picture.", media = ["swapped.png"] }

[commands.HUGE]
reply = { text = "It is too large.", media = ["huge.pdf"] }
"""

Somebody = Callable[[], Person]


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Stack]:
    """Everything, with an agent that has a picture."""
    directory = tmp_path_factory.mktemp("media")
    settings = {
        "PARLEY_AGENT_FILE": str(_agent(directory / "agent")),
        "PARLEY_GATHER_S": "0",
        "PARLEY_SENDER_MPS": "500",
        "PARLEY_MEDIA_WITHIN_S": "6",
    }
    async with running_stack(directory / "parley", settings=settings) as stack:
        _spoil(directory / "agent")
        yield stack
        assert leaks(stack, ["a moving picture", "what is this?", "the words stay"]) == []


def _agent(folder: Path) -> Path:
    folder.mkdir()
    (folder / "cat.png").write_bytes(PNG)
    (folder / "swapped.png").write_bytes(PNG)
    (folder / "huge.pdf").write_bytes(b"%PDF-1.7")
    (folder / "agent.toml").write_text(AGENT)
    return folder / "agent.toml"


def _spoil(folder: Path) -> None:
    """What was good when the agent read its file is so no longer."""
    (folder.parent / "secret.png").write_bytes(PNG + b"secret")
    (folder / "swapped.png").unlink()
    (folder / "swapped.png").symlink_to(folder.parent / "secret.png")
    (folder / "huge.pdf").write_bytes(b"%PDF-1.7" + bytes(600 * 1024))


@pytest.fixture
async def bus(whole: Stack) -> AsyncIterator[Bus]:
    bus = Bus(Broker(whole.nats_url), name="test")
    await bus.connect()
    yield bus
    await bus.close()


async def send(person: Person, body: str, *attachments: tuple[str, bytes]) -> str:
    """An MMS of a person; returns its SID."""
    media = tuple(Attachment(content_type=content_type, data=data) for content_type, data in attachments)
    return (await person.simulator.text(InboundText(sender=person.number, body=body, media=media))).sid


async def kept(bus: Bus, sid: str, number: int = 0) -> Medium | None:
    """What the bucket holds of a text's attachment."""
    return await MediaStore(bus, kept_s=topology.Limits().media_kept_s).get(f"in/{sid}/{number}")


def links_of(whole: Stack) -> MediaLinks:
    return MediaLinks((whole.environment["PARLEY_SECRET_KEY"].encode(),))


async def on_the_phone(person: Person, count: int = 1) -> MessageView:
    """The newest of the bot's texts once so many have arrived with their pictures."""

    async def arrived() -> MessageView | None:
        texts = [text for text in await person.received() if text.arrived_at is not None]
        return texts[-1] if len(texts) >= count else None

    found = await wait_until(arrived, 20.0, what=f"{count} texts on the phone")
    assert found is not None
    return found


async def test_pictures_that_come_with_a_text_are_kept(somebody: Somebody, bus: Bus) -> None:
    person = somebody()
    sid = await send(person, "what is this?", ("image/png", PNG), ("image/gif", GIF))
    (answer,) = await person.wait_for(1)
    assert answer.body == "Hello, I saw what you sent."
    assert [await kept(bus, sid, n) for n in (0, 1)] == [Medium(PNG, "image/png"), Medium(GIF, "image/gif")]


async def test_a_picture_without_a_word_is_answered(somebody: Somebody, bus: Bus) -> None:
    person = somebody()
    sid = await send(person, "", ("image/png", PNG))
    said = [answer.body for answer in await person.wait_for(2)]
    assert said == ["Hello, I saw what you sent.", "It is a picture."]
    assert await kept(bus, sid) == Medium(PNG, "image/png")


async def test_a_picture_is_kept_for_the_person_who_has_taken_the_conversation(
    somebody: Somebody, bus: Bus, whole: Stack
) -> None:
    person = somebody()
    conversation = Identity(whole.environment["PARLEY_HASH_KEY"].encode()).conversation("default", person.number)
    await take(bus, "default", conversation, by="staff", within=timedelta(hours=1))
    sid = await send(person, "", ("image/png", PNG))

    async def is_kept() -> bool:
        return await kept(bus, sid) == Medium(PNG, "image/png")

    await wait_until(is_kept, 20.0, what="the picture being kept")
    assert await person.received() == []


async def test_a_picture_that_twilio_does_not_have_yet_is_asked_for_again(
    somebody: Somebody, simulator: SimulatorControl, bus: Bus
) -> None:
    person = somebody()
    late = Rule(where=Place.MEDIA, what=Fault.MEDIA_404_FIRST, count=2, match=Match(sender=person.number))
    rule = await simulator.add_fault(late)
    sid = await send(person, "", ("image/png", PNG))
    await person.wait_for(1)
    assert await kept(bus, sid) == Medium(PNG, "image/png")
    assert [active.fired for active in await simulator.faults() if active.id == rule.id] == [3]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"what": Fault.STATUS, "status": 404}, id="never there"),
        pytest.param({"what": Fault.STATUS, "status": 503}, id="never ready"),
        pytest.param({"what": Fault.DELAY, "delay_s": 60.0}, id="never answered"),
        pytest.param({"what": Fault.RESET_BEFORE}, id="cut off"),
    ],
)
async def test_a_picture_that_never_comes_keeps_nobody_from_an_answer(
    somebody: Somebody, simulator: SimulatorControl, bus: Bus, whole: Stack, fault: dict[str, object]
) -> None:
    person = somebody()
    await simulator.add_fault(Rule(where=Place.MEDIA, match=Match(sender=person.number), **fault))  # type: ignore[arg-type]
    sid = await send(person, "the words stay", ("image/png", PNG))
    (answer,) = await person.wait_for(1, timeout_s=30.0)
    assert answer.body == "Hello, I saw what you sent."
    assert await kept(bus, sid) is None
    assert any("attachment missing" in line and sid in line for line in whole["agent"].output.splitlines())


async def test_a_page_that_says_it_is_a_picture_is_not_kept(somebody: Somebody, bus: Bus) -> None:
    person = somebody()
    sid = await send(person, "look", ("image/png", b"<html><script>alert(1)</script></html>"))
    await person.wait_for(1)
    assert await kept(bus, sid) is None


async def test_a_file_of_the_agents_folder_arrives_on_the_phone(
    somebody: Somebody, whole: Stack, bus: Bus
) -> None:
    person = somebody()
    await send(person, "PICTURE")
    text = await on_the_phone(person)
    assert text.body == "Here you are."
    (medium,) = text.media
    assert medium.content_type == "image/png"
    async with httpx.AsyncClient(base_url=whole.url("simulator")) as phone:
        assert (await phone.get(medium.url)).content == PNG
    conversation = Identity(whole.environment["PARLEY_HASH_KEY"].encode()).conversation("default", person.number)
    attempted = await bus.next(topology.sends(conversation), seq=1)
    assert attempted is not None
    event = attempted.event()
    assert isinstance(event, PartAttempted)
    assert [one.url for one in event.media] == [hosted_url(out_name(PNG))]


async def test_a_picture_goes_out_without_a_word(somebody: Somebody) -> None:
    person = somebody()
    await send(person, "ONLY")
    text = await on_the_phone(person)
    assert (text.body, text.num_media) == ("", 1)


@pytest.mark.parametrize(("word", "answer"), [("OUTSIDE", "There is no picture."), ("HUGE", "It is too large.")])
async def test_a_file_that_may_not_go_out_leaves_the_words(
    somebody: Somebody, whole: Stack, word: str, answer: str
) -> None:
    person = somebody()
    await send(person, word)
    text = await on_the_phone(person)
    assert (text.body, text.num_media) == (answer, 0)
    assert "a file is not sent" in whole["agent"].output


async def test_only_a_genuine_link_that_has_not_expired_opens_a_file(
    somebody: Somebody, whole: Stack, bus: Bus
) -> None:
    person = somebody()
    await send(person, "PICTURE")
    await on_the_phone(person)
    links, name, now = links_of(whole), out_name(PNG), datetime.now(UTC)
    good = links.url(whole.url("ingress"), hosted_url(name), now=now)
    async with httpx.AsyncClient() as http:
        answer = await http.get(good)
        assert (answer.status_code, answer.content) == (200, PNG)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-length"] == str(len(PNG))
        assert answer.headers["x-content-type-options"] == "nosniff"
        head = await http.head(good)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(PNG))
        expired = links.url(whole.url("ingress"), hosted_url(name), now=now - timedelta(hours=13))
        forged = MediaLinks((b"another key" * 4,)).url(whole.url("ingress"), hosted_url(name), now=now)
        later = good.replace("expires=", "expires=9")
        for url in (expired, forged, later, good.partition("?")[0], good + "x", f"{good}&expires=9999999999"):
            refused = await http.get(url)
            assert refused.status_code == 403, url
            assert refused.headers["content-type"] == "application/json"
        missing = links.url(whole.url("ingress"), hosted_url("out/" + "0" * 64), now=now)
        assert (await http.get(missing)).status_code == 404


async def test_what_people_sent_is_served_to_nobody(somebody: Somebody, whole: Stack, bus: Bus) -> None:
    person = somebody()
    sid = await send(person, "", ("image/png", PNG))
    await person.wait_for(1)
    assert await kept(bus, sid) is not None
    url = links_of(whole).url(whole.url("ingress"), hosted_url(f"in/{sid}/0"), now=datetime.now(UTC))
    async with httpx.AsyncClient() as http:
        assert (await http.get(url)).status_code == 404
        for path in ("/media", "/media/", "/media/out/", "/media/out"):
            assert (await http.get(whole.url("ingress") + path)).status_code in (403, 404)


async def test_the_link_that_twilio_gets_is_good_for_longer_than_its_queue_holds(
    somebody: Somebody, whole: Stack, simulator: SimulatorControl
) -> None:
    person = somebody()
    await send(person, "PICTURE")
    text = await on_the_phone(person)
    log = await simulator.log()
    (entry,) = [one for one in log.entries if one.sid == text.sid and "/media/" in one.url]
    query = parse_qs(urlsplit(entry.url).query)
    assert int(query["expires"][0]) - time.time() > 10 * 3600
