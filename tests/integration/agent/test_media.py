"""What comes with a text and what goes out with an answer, over a real broker and a server in Twilio's place."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from harness.stack import Stack
from harness.waiting import wait_until
from integration.agent.media_server import MediaServer, giving, in_turn, media_server
from integration.agent.workers import CHANNEL, WORDS, C, NoLeases, done, drain, send
from integration.common.connections import a_text
from parley_agent.conversations import Conversations
from parley_agent.media import fetching, keeping, share
from parley_agent.media.desk import MediaDesk
from parley_agent.media.fetching import Fetcher, NotHad
from parley_agent.media.keeping import Keeping, wanted_of
from parley_agent.turns import Pace, Turns
from parley_brains.agents import Agent
from parley_brains.brain import File, Message, Said, Turn
from parley_common import topology
from parley_common.bus import Bus
from parley_common.channels import Channel, Channels
from parley_common.declare import declare
from parley_common.domain.media_limits import MOST_BYTES
from parley_common.events import ConversationReleased, InboundMessage, Media, Tally, encode
from parley_common.identity import Identity
from parley_common.media_links import hosted_url, out_name
from parley_common.media_store import MediaStore, Medium

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + b"\x80" * 200_000
SID, MEDIUM = "MM" + "a" * 32, "ME" + "b" * 32
PATH = f"/2010-04-01/Accounts/{CHANNEL.account_sid}/Messages/{SID}/Media/{MEDIUM}"
LOGIN = f"{CHANNEL.account_sid}:token"


@dataclass
class LookingBrain:
    """Reads what came along, and says what it is told."""

    acts: bool = False
    says: Message = field(default_factory=lambda: Message(text="I looked."))
    asked: list[Turn] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)

    async def answer(self, turn: Turn) -> Said:
        """Looks at everything."""
        self.asked.append(turn)
        self.seen += [await attachment.read() for attachment in turn.attachments]
        return Said(messages=(self.says,))

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Bench:
    """An agent that takes Twilio for the server of the test."""

    bus: Bus
    store: MediaStore
    folder: Path
    brain: LookingBrain = field(default_factory=LookingBrain)

    def channel(self, server: MediaServer, **fields: Any) -> Channel:
        """The channel whose media are there."""
        return replace(CHANNEL, api_base_url=server.url, **fields)

    def desk(self, channel: Channel, within_s: float = 8.0) -> MediaDesk:
        """The desk of that channel's agent."""
        return MediaDesk(self.store, Channels((channel,)), folder=self.folder, within_s=within_s)

    async def drain(self, channel: Channel, *, within_s: float = 8.0) -> None:
        """Has one worker deal with the conversation."""
        desk = self.desk(channel, within_s)
        turns = Turns(
            self.bus,
            Agent(file=WORDS, brain=self.brain),
            Channels((channel,)),
            identity=Identity(b"k" * 32),
            pace=Pace(gather_s=0.001, reply_expiry_s=3600.0, max_answer_age_s=1800.0),
            in_doubt=lambda: False,
            media=desk,
        )
        try:
            await drain(Conversations(self.bus, NoLeases(), turns))  # type: ignore[arg-type] # as workers do
        finally:
            await desk.close()


@pytest.fixture
async def bench(bus: Bus, tmp_path: Path) -> Bench:
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / "cat.png").write_bytes(PNG)
    return Bench(bus, MediaStore(bus, kept_s=topology.Limits().media_kept_s), folder)


def media(server: MediaServer, *content_types: str) -> tuple[Media, ...]:
    return tuple(
        Media(url=f"{server.url}{PATH[:-1]}{number:x}", content_type=content_type)
        for number, content_type in enumerate(content_types)
    )


def a_picture(server: MediaServer, **fields: Any) -> InboundMessage:
    return a_text(id=SID, media=media(server, "image/png"), **fields)


async def test_a_brain_reads_what_came_with_a_text_that_says_nothing(bench: Bench) -> None:
    async with media_server(giving(PNG)) as server:
        await send(bench.bus, "", id=SID, media=media(server, "image/png", "image/jpeg"))
        await bench.drain(bench.channel(server))
    (turn,) = bench.brain.asked
    assert (turn.text, turn.missing) == ("", 0)
    assert [(one.content_type, one.size) for one in turn.attachments] == [("image/png", len(PNG))] * 2
    assert bench.brain.seen == [PNG, PNG]
    assert server.asked == [(PATH[:-1] + "0", LOGIN), (PATH[:-1] + "1", LOGIN)]


async def test_what_could_not_be_had_is_counted_and_the_text_answered(bench: Bench) -> None:
    async with media_server(in_turn(web.Response(body=b"<html>"), 410)) as server:
        await send(bench.bus, "look", id=SID, media=media(server, "image/png", "image/png"))
        await bench.drain(bench.channel(server))
    (turn,) = bench.brain.asked
    assert (turn.texts, turn.attachments, turn.missing) == (("look",), (), 2)
    assert [one.outcome.value for one in await done(bench.bus)] == ["answered"]


async def test_a_turn_that_is_tried_again_reads_what_was_kept(bench: Bench) -> None:
    async with media_server(giving(PNG)) as server:
        message = a_picture(server)
        for _ in range(3):
            desk = bench.desk(bench.channel(server))
            carried = await desk.carried([message])
            assert [await one.read() for one in carried.attachments] == [PNG]
            await desk.close()
    assert len(server.asked) == 1


async def test_no_more_than_ten_attachments_are_had(bench: Bench) -> None:
    async with media_server(giving(PNG)) as server:
        desk = bench.desk(bench.channel(server))
        messages = [a_text(id=f"MM{n:032x}", media=media(server, *["image/png"] * 4)) for n in range(3)]
        carried = await desk.carried(messages)
        await desk.close()
    assert (len(carried.attachments), carried.missing, len(server.asked)) == (10, 2, 10)


async def test_what_came_with_a_text_is_kept_though_nobody_asks_a_brain(bench: Bench) -> None:
    async with media_server(giving(PNG)) as server:
        desk = bench.desk(bench.channel(server))
        desk.begin(encode(a_picture(server)))
        await wait_until(lambda: bench.store.find(f"in/{SID}/0"), 10.0, what="the picture being kept")
        await desk.close()
    assert bench.brain.asked == []


async def test_what_is_being_fetched_is_not_fetched_twice(bench: Bench) -> None:
    async with media_server(giving(PNG, after_s=0.3)) as server:
        desk = bench.desk(bench.channel(server))
        message = a_picture(server)
        desk.begin(encode(message))
        found = await asyncio.gather(*(desk.carried([message]) for _ in range(3)))
        await desk.close()
    assert [len(carried.attachments) for carried in found] == [1, 1, 1]
    assert len(server.asked) == 1


async def test_of_people_who_may_not_text_us_nothing_is_fetched(bench: Bench) -> None:
    async with media_server(giving(PNG)) as server:
        desk = bench.desk(bench.channel(server, allow_all=False))
        desk.begin(encode(a_picture(server)))
        desk.begin(b'{"media":[{')
        desk.begin(encode(a_text()))
        desk = bench.desk(bench.channel(server))
        await desk.carried([a_text(id="MM" + "c" * 32, media=media(server, "image/png"))])
        await desk.close()
    assert len(server.asked) == 1


async def test_who_waits_no_longer_keeps_others_from_it(bench: Bench) -> None:
    async with media_server(giving(PNG, after_s=0.3)) as server:
        desk = bench.desk(bench.channel(server))
        message = a_picture(server)
        gone, staying = (asyncio.create_task(desk.carried([message])) for _ in range(2))
        await wait_until(lambda: server.open, what="the picture being asked for")
        gone.cancel()
        assert len((await staying).attachments) == 1
        await desk.close()
    assert len(server.asked) == 1


async def test_a_crowd_with_pictures_fills_no_memory(bench: Bench) -> None:
    async with media_server(giving(PNG, after_s=0.02)) as server:
        desk = bench.desk(bench.channel(server), within_s=60.0)
        messages = [a_text(id=f"MM{n:032x}", media=media(server, "image/png")) for n in range(60)]
        all_carried = await asyncio.gather(*(desk.carried([message]) for message in messages))
        await desk.close()
    assert [carried.missing for carried in all_carried] == [0] * 60
    assert 1 < server.most <= 8


async def fetched(server: MediaServer, channel: Channel) -> bytes:
    """What the fetcher gets of the medium."""

    async def keep(data: bytes) -> bytes:
        return data

    fetcher = Fetcher()
    try:
        return await fetcher.fetch(f"{server.url}{PATH}", channel, SID, keep)
    finally:
        await fetcher.close()


@pytest.mark.parametrize("statuses", [(404,), (404, 404), (429,), (500, 503)])
async def test_what_is_not_there_yet_is_asked_for_again(bench: Bench, statuses: tuple[int, ...]) -> None:
    async with media_server(in_turn(*statuses, web.Response(body=PNG))) as server:
        assert await fetched(server, bench.channel(server)) == PNG
    assert len(server.asked) == len(statuses) + 1


@pytest.mark.parametrize(("status", "asked"), [(404, 3), (503, 3), (410, 1), (400, 1), (204, 1)])
async def test_what_stays_away_is_given_up(bench: Bench, status: int, asked: int) -> None:
    async with media_server(in_turn(status)) as server:
        with pytest.raises(NotHad, match=f"HTTP {status}"):
            await fetched(server, bench.channel(server))
    assert len(server.asked) == asked


async def test_a_token_that_is_refused_is_followed_by_the_next_and_then_by_none(bench: Bench) -> None:
    async with media_server(in_turn(401, 401, web.Response(body=PNG))) as server:
        channel = bench.channel(server, auth_tokens=("old", "new"))
        assert await fetched(server, channel) == PNG
    logins = [login for _, login in server.asked]
    assert logins == [f"{CHANNEL.account_sid}:old", f"{CHANNEL.account_sid}:new", None]


async def test_whoever_is_refused_without_credentials_too_gives_up(bench: Bench) -> None:
    async with media_server(in_turn(401)) as server:
        with pytest.raises(NotHad, match="HTTP 401"):
            await fetched(server, bench.channel(server))
    assert [login for _, login in server.asked] == [LOGIN, None]


async def test_a_medium_is_cut_off_where_it_grows_too_large(bench: Bench) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 20 * MOST_BYTES:
            await response.write(b"x" * 65_536)
            sent += 65_536
        return response

    async with media_server(endless) as server:
        with pytest.raises(NotHad, match="larger"):
            await fetched(server, bench.channel(server))
    assert sent < 4 * MOST_BYTES


async def test_a_medium_of_just_the_size_is_had(bench: Bench) -> None:
    async with media_server(giving(bytes(MOST_BYTES))) as server:
        assert len(await fetched(server, bench.channel(server))) == MOST_BYTES


async def test_what_comes_compressed_is_not_unpacked(bench: Bench) -> None:
    answer = web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    async with media_server(in_turn(answer)) as server:
        with pytest.raises(NotHad, match="compressed"):
            await fetched(server, bench.channel(server))


async def test_a_redirect_within_the_same_origin_keeps_the_credentials(bench: Bench) -> None:
    away = web.Response(status=307, headers={"Location": "/_cdn/1"})
    async with media_server(in_turn(away, web.Response(body=PNG))) as server:
        assert await fetched(server, bench.channel(server)) == PNG
    assert server.asked == [(PATH, LOGIN), ("/_cdn/1", LOGIN)]


async def test_a_circle_of_redirects_ends(bench: Bench) -> None:
    async with media_server(in_turn(web.Response(status=302, headers={"Location": "/again"}))) as server:
        with pytest.raises(NotHad, match="redirects"):
            await fetched(server, bench.channel(server))
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1/latest",
        "https://localhost/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "http://127.0.0.1:1/",
    ],
)
async def test_no_redirect_leads_into_this_network(bench: Bench, location: str) -> None:
    async with media_server(in_turn(web.Response(status=302, headers={"Location": location}))) as server:
        with pytest.raises(NotHad, match=r"public|https"):
            await fetched(server, bench.channel(server))
    assert len(server.asked) == 1


def addresses(*found: str) -> Any:
    """A directory of names in which every host has these addresses."""

    async def look_up(_host: str, port: int, **_rest: Any) -> list[Any]:
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (family[ipaddress.ip_address(one).version], socket.SOCK_STREAM, 6, "", (one, port)) for one in found
        ]

    return look_up


class Internet(httpx2.AsyncBaseTransport):
    """Answers in place of the internet, which no test may reach."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Twilio redirects to its content server, and that to another of its own."""
        self.asked.append(request)
        locations = ["https://mms.twiliocdn.example/a", "https://api.twilio.com/b"]
        if len(self.asked) <= len(locations):
            return httpx2.Response(307, headers={"Location": locations[len(self.asked) - 1]})
        return httpx2.Response(200, stream=httpx2.ByteStream(PNG))


async def keep(data: bytes) -> bytes:
    return data


async def test_another_origin_gets_no_credentials_and_none_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = addresses("2001:4860:4860::8888", "93.184.216.34")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    internet = Internet()
    url = f"https://api.twilio.com{PATH}"
    assert await Fetcher(internet).fetch(url, CHANNEL, SID, keep) == PNG
    assert ["authorization" in request.headers for request in internet.asked] == [True, False, False]


async def test_the_address_that_was_checked_is_the_one_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = addresses("2001:4860:4860::8888", "93.184.216.34")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    internet = Internet()
    await Fetcher(internet).fetch(f"https://api.twilio.com{PATH}", CHANNEL, SID, keep)
    assert [request.url.host for request in internet.asked] == ["93.184.216.34"] * 3
    hosts = ["api.twilio.com", "mms.twiliocdn.example", "api.twilio.com"]
    assert [request.headers["host"] for request in internet.asked] == hosts
    assert [request.extensions["sni_hostname"] for request in internet.asked] == hosts


@pytest.mark.parametrize("found", [("127.0.0.1",), ("93.184.216.34", "10.0.0.1"), ("fd00::1",), ()])
async def test_a_host_with_an_address_of_this_network_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, found: tuple[str, ...]
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", addresses(*found))
    internet = Internet()
    with pytest.raises(NotHad, match="public"):
        await Fetcher(internet).fetch(f"https://api.twilio.com{PATH}", CHANNEL, SID, keep)
    assert internet.asked == []


async def test_a_server_that_says_nothing_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_EXCHANGE_S", 0.3)
    async with media_server(giving(PNG, after_s=30.0)) as server:
        with pytest.raises(NotHad, match="Timeout"):
            await fetched(server, bench.channel(server))
    assert len(server.asked) == 2


async def test_a_full_bucket_costs_the_picture_and_not_the_text(bench: Bench) -> None:
    await declare(bench.bus.js, topology.Limits(media_max_bytes=1_000_000))
    await bench.store.put("in/other/0", b"x" * 900_000, "image/png")
    bench.brain.says = Message(
        text="Here.", files=(File(source=str(bench.folder / "cat.png"), content_type="image/png"),)
    )
    async with media_server(giving(PNG)) as server:
        await send(bench.bus, "look", id=SID, media=media(server, "image/png"))
        await bench.drain(bench.channel(server))
    assert [turn.missing for turn in bench.brain.asked] == [1]
    (turn,) = await done(bench.bus)
    assert [(message.text, message.media) for message in turn.messages] == [("Here.", ())]


async def test_while_the_broker_is_gone_a_picture_waits(bench: Bench, broker: Stack) -> None:
    async with media_server(giving(PNG)) as server:
        desk = bench.desk(bench.channel(server), within_s=60.0)
        broker["nats"].kill()
        waiting = asyncio.create_task(desk.carried([a_picture(server)]))
        await broker["nats"].start()
        async with asyncio.timeout(40):
            carried = await waiting
        assert [await one.read() for one in carried.attachments] == [PNG]
        await desk.close()


async def test_what_is_not_kept_any_more_is_an_error_that_a_brain_knows(bench: Bench) -> None:
    async with media_server(giving(PNG)) as server:
        desk = bench.desk(bench.channel(server))
        (attachment,) = (await desk.carried([a_picture(server)])).attachments
        await desk.close()
    await bench.bus.js.purge_stream(topology.MEDIA_STREAM)
    with pytest.raises(OSError, match="not kept"):
        await attachment.read()


async def hosted(bench: Bench, *files: File, within_s: float = 10.0) -> tuple[File, ...]:
    """The files of a message as they go out."""
    said = Said(messages=(Message(text="Here.", files=files),))
    desk = bench.desk(CHANNEL)
    (message,) = (await desk.hosted(said, C, within_s=within_s)).messages
    await desk.close()
    assert message.text == "Here."
    return message.files


async def test_a_file_of_the_folder_is_hosted_and_an_https_url_passes(bench: Bench) -> None:
    elsewhere = File(source="https://cdn.example.com/a.png", content_type="image/png")
    ours = File(source=str(bench.folder / "cat.png"), content_type="image/png")
    found = await hosted(bench, elsewhere, ours)
    assert found == (elsewhere, File(source=hosted_url(out_name(PNG)), content_type="image/png"))
    assert await bench.store.get(out_name(PNG)) == Medium(PNG, "image/png")


async def test_the_answer_carries_what_is_hosted(bench: Bench) -> None:
    bench.brain.says = Message(files=(File(source=str(bench.folder / "cat.png"), content_type="image/png"),))
    await send(bench.bus, "a picture, please")
    await bench.drain(CHANNEL)
    (turn,) = await done(bench.bus)
    (message,) = turn.messages
    assert (message.text, message.media) == ("", (Media(url=hosted_url(out_name(PNG)), content_type="image/png"),))


@pytest.mark.parametrize(
    ("name", "data", "content_type"),
    [
        pytest.param("a.png", b"<html>", "image/png", id="a page as a picture"),
        pytest.param("a.toml", b"[llm]\nkey = 1", "application/octet-stream", id="a file of settings"),
        pytest.param("a.pdf", b"%PDF-" + bytes(500 * 1024), "application/pdf", id="a large document"),
        pytest.param("a.png", b"\x89PNG\r\n\x1a\n" + bytes(MOST_BYTES), "image/png", id="a huge picture"),
    ],
)
async def test_a_file_that_twilio_would_not_take_is_left_out(
    bench: Bench, name: str, data: bytes, content_type: str
) -> None:
    (bench.folder / name).write_bytes(data)
    assert await hosted(bench, File(source=str(bench.folder / name), content_type=content_type)) == ()
    assert await bench.store.find(out_name(data)) is None


async def test_no_brain_names_what_people_sent_or_a_file_elsewhere(bench: Bench) -> None:
    for source in ("parley:in/MM/0", hosted_url(out_name(PNG)), "in/MM/0", "/etc/hostname", "http://a.example/b"):
        assert await hosted(bench, File(source=source, content_type="text/plain")) == ()


async def test_ten_files_go_out_and_no_more(bench: Bench) -> None:
    urls = [File(source=f"https://cdn.example.com/{n}.png", content_type="image/png") for n in range(12)]
    assert await hosted(bench, *urls) == tuple(urls[:10])


async def test_the_files_of_one_message_are_five_megabytes_at_most(bench: Bench) -> None:
    files = []
    for n in range(3):
        path = bench.folder / f"{n}.png"
        path.write_bytes(PNG + bytes([n]) + bytes(2 * 1024 * 1024))
        files.append(File(source=str(path), content_type="image/png"))
    assert len(await hosted(bench, *files)) == 2


async def test_a_file_waits_for_the_broker_and_then_goes_without(bench: Bench, broker: Stack) -> None:
    broker["nats"].kill()
    file = File(source=str(bench.folder / "cat.png"), content_type="image/png")
    assert await hosted(bench, file, within_s=0.5) == ()


async def test_all_files_of_all_answers_go_without_in_the_same_time(bench: Bench, broker: Stack) -> None:
    broker["nats"].kill()
    files = tuple(File(source=str(bench.folder / "cat.png"), content_type="image/png") for _ in range(2))
    elsewhere = File(source="https://cdn.example.com/a.png", content_type="image/png")
    said = Said(messages=(Message(text="Here.", files=(*files, elsewhere)), Message(files=files)) * 8)
    desk = bench.desk(CHANNEL)
    with capture_logs() as logs:
        async with asyncio.timeout(8.0):
            answers = await asyncio.gather(*(desk.hosted(said, C, within_s=1.0) for _ in range(100)))
    await desk.close()
    assert {[message.files for message in answer.messages] == [(elsewhere,), ()] * 5 for answer in answers} == {
        True
    }
    told = [entry for entry in logs if entry["event"] == "files are not sent"]
    assert [entry["files"] for entry in told] == [20] * 100


async def test_waiting_for_a_place_takes_nothing_of_an_attachments_time(bench: Bench) -> None:
    async with media_server(giving(PNG, after_s=0.5)) as server:
        channel = bench.channel(server)
        keeping = Keeping(bench.store, Channels((channel,)), within_s=1.5)
        wanted = [
            one for n in range(48) for one in wanted_of(a_text(id=f"MM{n:032x}", media=media(server, "image/png")))
        ]
        held = await asyncio.gather(*map(keeping.held, wanted))
        await keeping.close()
    assert None not in held
    assert server.most == 8


async def test_a_turn_waits_no_longer_than_it_may(bench: Bench) -> None:
    async with media_server(giving(PNG, after_s=3.0)) as server:
        desk = bench.desk(bench.channel(server), within_s=60.0)
        assert (await desk.carried([a_picture(server)], within_s=0.2)).missing == 1
        assert (await desk.carried([a_picture(server)])).missing == 0
        await desk.close()
    assert len(server.asked) == 1


async def test_what_just_could_not_be_had_is_not_asked_for_again(bench: Bench) -> None:
    async with media_server(in_turn(410)) as server:
        desk = bench.desk(bench.channel(server))
        for _ in range(3):
            desk.begin(encode(a_picture(server)))
            assert (await desk.carried([a_picture(server)])).missing == 1
        await desk.close()
        assert len(server.asked) == 1


async def test_after_a_minute_it_is(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_MISSED_S", 0.1)
    async with media_server(in_turn(410, web.Response(body=PNG))) as server:
        desk = bench.desk(bench.channel(server))
        assert (await desk.carried([a_picture(server)])).missing == 1
        await asyncio.sleep(0.2)
        assert (await desk.carried([a_picture(server)])).missing == 0
        await desk.close()


async def test_one_conversation_fills_a_part_of_the_bucket_a_day(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share, "MOST_A_DAY", 2 * len(PNG))
    async with media_server(giving(PNG)) as server:
        for number, missing in enumerate((0, 0, 1, 1)):
            desk = bench.desk(bench.channel(server))  # each another agent: the broker counts
            text = a_text(id=f"MM{number:032x}", media=media(server, "image/png"))
            assert (await desk.carried([text])).missing == missing
            await desk.close()
        assert len(server.asked) == 2
        desk = bench.desk(bench.channel(server))
        other = a_text(id="MM" + "f" * 32, conversation="another", media=media(server, "image/png"))
        assert (await desk.carried([other])).missing == 0
        await desk.close()


async def test_what_people_send_leaves_room_for_what_goes_out(bench: Bench) -> None:
    await declare(bench.bus.js, topology.Limits(media_max_bytes=1_000_000))
    await bench.store.put("in/other/0", b"x" * 720_000, "image/png")
    file = File(source=str(bench.folder / "cat.png"), content_type="image/png")
    async with media_server(giving(PNG)) as server:
        desk = bench.desk(bench.channel(server))
        assert (await desk.carried([a_picture(server)])).missing == 1
        await desk.close()
    assert len(await hosted(bench, file)) == 1


async def begin_with(bus: Bus, conversation: str, tally: Tally) -> None:
    """A conversation that stands so."""
    event = ConversationReleased(
        id=conversation, at=datetime.now(UTC), channel="default", conversation=conversation, upto=0, tally=tally
    )
    await bus.append(topology.takeover(conversation), event, after=0, chain=topology.own(conversation))


async def test_nothing_is_fetched_for_a_loop_or_whoever_may_not_start(bench: Bench) -> None:
    async with media_server(giving(PNG)) as server:
        await begin_with(bench.bus, C, Tally(level=20.0, level_at=datetime.now(UTC)))
        await begin_with(bench.bus, "known", Tally(greeted=True))
        stranger = a_text(id=SID, conversation="stranger", media=media(server, "image/png"))
        known = a_text(id="MM" + "c" * 32, conversation="known", media=media(server, "image/png"))
        desk = bench.desk(bench.channel(server, people_may_start=False))
        for message in (a_picture(server), stranger, known):
            desk.begin(encode(message))
        await wait_until(lambda: bench.store.find(f"in/{known.id}/0"), 10.0, what="the known one's picture")
        await desk.close()
    assert len(server.asked) == 1
