"""The API over a database: who may ask, what is answered, and what is said where something is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import chain

import httpx
import pytest
from starlette.applications import Starlette

from integration.status.rows import fold_all
from parley_common.events import Reply
from parley_status.api import routes
from parley_status.database import Database
from parley_status.projection import Recorded
from unit.status.samples import CONTACT, CONVERSATION, NUMBER, done, inbound, story

pytestmark = pytest.mark.anyio

KEY = "a key of many letters"


def http(database: Database, headers: dict[str, str]) -> httpx.AsyncClient:
    application = Starlette(routes=routes(database, KEY))
    transport = httpx.ASGITransport(application)
    return httpx.AsyncClient(transport=transport, base_url="http://status", headers=headers)


@pytest.fixture
async def api(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with http(database, {"Authorization": f"Bearer {KEY}"}) as client:
        yield client


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": KEY},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Bearer \xff"},
    ],
    ids=["none", "bare", "empty", "wrong", "longer", "another scheme", "not ascii"],
)
@pytest.mark.parametrize("path", ["/v1/conversations", "/v1/messages/SMin", "/v1/nothing"])
async def test_without_the_key_nothing_is_answered(database: Database, headers: dict[str, str], path: str) -> None:
    async with http(database, {}) as client:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        response = await client.get(path, headers=raw)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.json()["error"]["code"] == "unauthorized"
    assert KEY not in response.text


async def test_the_scheme_may_be_written_in_any_case(database: Database) -> None:
    async with http(database, {"Authorization": f"bearer {KEY}"}) as client:
        assert (await client.get("/v1/conversations")).status_code == 200


async def test_a_message_is_answered_with_its_parts_and_their_history(
    database: Database, api: httpx.AsyncClient
) -> None:
    await fold_all(database, story())
    message = (await api.get("/v1/messages/reply")).json()
    assert message["direction"] == "outbound"
    assert message["body"] == "Yes, **until six**."
    assert message["created_at"] == "2026-03-01T12:00:02Z"
    first = message["parts"][0]
    assert (first["id"], first["part"], first["of"], first["body"]) == ("part-0", 0, 2, "Yes, until six. (1/2)")
    assert [report["status"] for report in first["reports"]] == ["sent", "delivered"]


async def test_a_text_is_answered_with_its_media(database: Database, api: httpx.AsyncClient) -> None:
    await fold_all(database, story())
    message = (await api.get("/v1/messages/SMin")).json()
    assert (message["contact"], message["our_address"], message["state"]) == (CONTACT, NUMBER, "handled")
    assert message["media"] == [{"url": "https://api.example/picture", "content_type": "image/png"}]
    assert message["parts"] == []


async def test_the_pages_of_a_conversation_hold_each_message_once(
    database: Database, api: httpx.AsyncClient
) -> None:
    replies = tuple(Reply(id=f"reply-{n}", text=str(n)) for n in range(4))
    events = [Recorded(n, inbound(f"SM{n}", second=n)) for n in range(1, 6)]
    await fold_all(database, [*events, Recorded(6, done(1, 5, messages=replies)), Recorded(7, inbound("SM7"))])
    pages: list[list[str]] = []
    before = None
    while True:
        query = {"limit": "3"} | ({"before": before} if before else {})
        page = (await api.get(f"/v1/conversations/{CONVERSATION}", params=query)).json()
        pages.insert(0, [message["id"] for message in page["messages"]])
        if (before := page["before"]) is None:
            break
    assert [len(page) for page in pages] == [1, 3, 3, 3]
    texts = [f"SM{n}" for n in range(1, 6)]
    assert list(chain.from_iterable(pages)) == [*texts, *(reply.id for reply in replies), "SM7"]


async def test_conversations_are_listed_by_their_last_activity(database: Database, api: httpx.AsyncClient) -> None:
    texts = [
        inbound(f"SM{n}", second=n // 2, conversation=f"{n:032x}", contact=f"+1555000000{n}") for n in range(7)
    ]
    await fold_all(database, [Recorded(n, text) for n, text in enumerate(texts)])
    listed: list[str] = []
    before = None
    while True:
        query = {"limit": "2"} | ({"before": before} if before else {})
        page = (await api.get("/v1/conversations", params=query)).json()
        listed += [conversation["id"] for conversation in page["conversations"]]
        if (before := page["before"]) is None:
            break
    assert listed == [f"{n:032x}" for n in (6, 5, 4, 3, 2, 1, 0)]


@pytest.mark.parametrize("query", ["contact=%2B15551234567", "contact=+15551234567"])
async def test_a_contact_is_found_with_its_plus_escaped_or_not(
    database: Database, api: httpx.AsyncClient, query: str
) -> None:
    other = inbound("SMx", conversation="d" * 32, contact="+15559999999")
    await fold_all(database, [*story(), Recorded(99, other)])
    found = (await api.get(f"/v1/conversations?{query}")).json()["conversations"]
    assert [(one["id"], one["contact"]) for one in found] == [(CONVERSATION, CONTACT)]


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "words"),
    [
        ("GET", "/v1/messages/none", 404, "message_not_found", "no message of this id"),
        ("GET", "/v1/conversations/none", 404, "conversation_not_found", "/v1/conversations"),
        ("GET", "/v1/nothing", 404, "not_found", "/v1/messages/{id}"),
        ("POST", "/v1/conversations", 405, "method_not_allowed", "POST is not for this address: use GET or HEAD"),
        ("GET", "/v1/conversations?limit=0", 400, "bad_limit", "from 1 to 200"),
        ("GET", "/v1/conversations?limit=201", 400, "bad_limit", "from 1 to 200"),
        ("GET", "/v1/conversations?limit=many", 400, "bad_limit", "from 1 to 200"),
        ("GET", "/v1/conversations?before=x", 400, "bad_before", "from the page you have"),
        ("GET", f"/v1/conversations/{CONVERSATION}?before=x-1", 400, "bad_before", "from the page you have"),
    ],
)
async def test_a_mistake_is_answered_with_its_fix(
    api: httpx.AsyncClient, method: str, path: str, status: int, code: str, words: str
) -> None:
    response = await api.request(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert words in response.json()["error"]["message"]


async def test_a_database_without_tables_is_not_ready_and_no_failure_of_ours(database_url: str) -> None:
    unready = Database(database_url)
    async with http(unready, {"Authorization": f"Bearer {KEY}"}) as client:
        response = await client.get("/v1/conversations")
    unready.close()
    assert (response.status_code, response.json()["error"]["code"]) == (503, "database_unavailable")
