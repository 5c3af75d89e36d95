"""One trace over all hops, received as OTLP from all processes: whatever happens on the way, and as documented."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id

from e2e.traced import ENOUGH_S as S
from e2e.traced import SAID, Case, World, a_span, running_world
from harness.bot_server import SECRET
from harness.model_shop import KEY
from harness.spans import Told
from harness.waiting import wait_until
from parley_common.channels import QUICK_START
from parley_common.events import Priority
from parley_common.takeover import take
from parley_common.tracing_failures import SENT_FOR
from parley_simulator.control_shapes import InboundText
from parley_simulator.faults import Fault, Match, Place, Rule

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"
PATH_PAGE = (DOCS / "message-path.md").read_text(encoding="utf-8")
TRACES = (DOCS / "telemetry.md").read_text(encoding="utf-8").split("\n## Traces")[1]
PATH = re.findall(r"^\| `([^`]+)` \| \w+ \|$", PATH_PAGE, re.MULTILINE)
SENT = PATH[2:]
"""What follows where no turn came before."""


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[World]:
    """One Parley for all cases. No span of theirs tells who wrote what, or a secret."""
    async with running_world(tmp_path_factory.mktemp("trace")) as running:
        playing = asyncio.create_task(running.play(GENTLE, *((case,) for case in HARMFUL)))
        yield running
        await playing
        told = " ".join(span.raw for span in running.spans.all)
        names = ("TWILIO_AUTH_TOKEN", "TWILIO_PHONE_NUMBER", "PARLEY_API_KEY", "PARLEY_HASH_KEY")
        hidden = [running.stack.environment[name].removeprefix("+") for name in names]
        assert [word for word in (*SAID, *hidden, SECRET, KEY, "555016") if word in told] == []


async def replied(world: World) -> None:
    """A text is answered."""
    person = world.person()
    await person.text("follow me")
    path = await world.path(person, PATH)
    assert len(PATH) > 4
    assert [span.service for span in path] == ["ingress", "agent", "egress", "egress", "ingress", "status"]
    assert path[0].parent == ""
    assert world.traces(person) == {path[0].trace}
    assert [span.error for span in path] == [None] * len(path)


async def burst(world: World) -> None:
    """Two texts are answered together: a child of the first, linked to the other."""
    person = world.person()
    await world.simulator.text(InboundText(sender=person.number, body="follow me", count=2))
    path = await world.path(person, PATH)
    (linked,) = path[1].links
    other = await wait_until(lambda: world.spans.of_trace(linked[0]), S, what="the other webhook")
    assert [(span.name, span.span) for span in other] == [("webhook inbound", linked[1])]
    assert path[1].attributes["messaging.batch.message_count"] == 2


async def interrupted(world: World) -> None:
    """Another text comes while the bot thinks: the turn is linked to it."""
    person = world.person()
    world.bot.held.add(world.conversation(person))
    await person.text("hold the line")
    await world.bot_hears(person, "hold the line")
    await person.text("follow me")
    await world.bot_hears(person, "hold the line", "follow me")
    world.bot.held.clear()
    path = await world.path(person, PATH)
    inbound = [s for s in world.spans.of_conversation(world.conversation(person)) if s.name == "webhook inbound"]
    assert [span.trace for span in inbound if span.trace != path[0].trace] == [link[0] for link in path[1].links]


async def throttled(world: World) -> None:
    """Twilio asks for patience, and the part is sent again."""
    person = world.person()
    await world.fault(person, Place.CREATE, Fault.STATUS, status=429, code=20429)
    await person.text("follow me")
    path = await world.path(person, PATH)
    assert path[2].attributes["parley.attempt"] == 2
    first = await world.span(person, "send part", {"parley.attempt": 1})
    assert (first.error, first.parent, first.attributes["parley.final"]) == ("throttled", path[1].span, False)
    (post,) = world.spans.below(first)
    assert (post.error, post.attributes["twilio.error_code"]) == ("429", 20429)
    assert world.traces(person) == {path[0].trace}


async def proven(world: World) -> None:
    """Nobody knows whether Twilio has the part until its callback comes."""
    person = world.person()
    await world.fault(person, Place.CREATE, Fault.RESET_AFTER_CREATE)
    await person.text("follow me")
    path = await world.path(person, PATH)
    assert (path[2].error, path[3].attributes["parley.outcome"]) == ("in_doubt", "InDoubt")
    settled = await world.span(person, "settle part", {"parley.outcome": "proof"})
    assert (settled.parent, settled.error) == (path[1].span, None)
    assert world.traces(person) == {path[0].trace}


async def resent(world: World) -> None:
    """Twilio does not have the part in doubt, and it is sent again."""
    person = world.person()
    await world.fault(person, Place.CREATE, Fault.RESET_BEFORE)
    await person.text("follow me")
    path = await world.path(person, PATH)
    assert path[2].attributes["parley.attempt"] == 2
    settled = await world.span(person, "settle part", {"parley.outcome": "absent"})
    below = [span.name for span in world.spans.below(settled)]
    assert below == ["twilio GET Messages"]
    assert world.traces(person) == {path[0].trace}


async def agent_crashed(world: World) -> None:
    """The worker of a turn dies; another takes the turn, and answers with a model and a tool."""
    person = world.person()
    world.bot.held.add(world.conversation(person))
    await person.text("where is 1001")
    await world.bot_hears(person, "where is 1001")
    await world.restart_with_model()
    path = await world.path(person, PATH)
    below = [span for span in world.spans.below(path[1]) if span.name != "send part"]
    assert [span.name for span in below] == ["chat test-model", "execute_tool order_status", "chat test-model"]
    assert world.traces(person) == {path[0].trace}


async def egress_crashed(world: World) -> None:
    """The sender dies with a POST under way. The span that the callbacks are below may be lost with it."""
    person = world.person()
    delayed = await world.fault(person, Place.CREATE, Fault.DELAY, delay_s=1.5)
    await person.text("follow me")

    async def is_posted() -> bool:
        return any(fault.fired for fault in await world.simulator.faults() if fault.id == delayed)

    await wait_until(is_posted, S, what="the POST under way")
    world.stack["egress"].kill()
    await world.stack["egress"].start()
    await wait_until(lambda: world.folds(person, "delivered"), S, what="what became of the part")
    settled = await world.span(person, "settle part")
    assert [span.name for span in world.spans.path_to(settled)] == ["webhook inbound", "turn", "settle part"]
    assert world.traces(person) == {settled.trace}


async def scheduled(world: World) -> None:
    """What was put off on purpose is a trace of its own, linked to its origin."""
    person, origin = world.person(), a_span()
    await world.publish(person, "news for you", Priority.NOTIFICATION, origin=origin, in_s=6.0)
    path = await world.path(person, SENT)
    assert path[0].parent == ""
    assert path[0].links == (_names(origin),)
    assert world.traces(person) == {path[0].trace} != {format_trace_id(origin.trace_id)}


async def texted_by_operator(world: World) -> None:
    """A person answers in place of the agent: in the trace they came with, or one that begins there."""
    person, origin = world.person(), a_span()
    await take(world.bus, QUICK_START, world.conversation(person), by="alice", within=timedelta(hours=1))
    await person.text("follow me")
    assert (await world.span(person, "turn")).attributes["parley.outcome"] == "taken"
    await world.publish(person, "news for you", Priority.OPERATOR, origin=origin)
    path = await world.path(person, SENT)
    assert ((path[0].trace, path[0].parent), path[0].links) == (_names(origin), ())
    other = world.person()
    await world.publish(other, "news for you", Priority.OPERATOR, origin=None)
    path = await world.path(other, SENT)
    assert (path[0].parent, path[0].links) == ("", ())


async def backfilled(world: World) -> None:
    """A text that no webhook brought is found in Twilio's log."""
    person = world.person()
    match = Match(sender=person.number)
    await world.simulator.add_fault(Rule(where=Place.WEBHOOK, what=Fault.DROP_WEBHOOK, match=match))
    await world.simulator.text(InboundText(sender=person.number, body="follow me"))
    path = await world.path(person, ["backfill inbound", *PATH[1:]])
    assert path[0].parent == ""
    assert world.traces(person) == {path[0].trace}


async def polled(world: World) -> None:
    """The last callback is lost, and Twilio is asked: a trace of its own, linked to the turn."""
    person = world.person()
    rule = Rule(where=Place.CALLBACK, what=Fault.DROP_CALLBACK, match=Match(to=person.number, status="delivered"))
    await world.simulator.add_fault(rule)
    await person.text("follow me")
    sent = await world.path(person, PATH, "sent")
    path = await world.path(person, ["twilio GET Message", "fold DeliveryReport"])
    assert path[0].parent == ""
    assert path[0].links == ((sent[1].trace, sent[1].span),)


async def brain_failed(world: World) -> None:
    """The bot fails: the turn has failed, its letter is written, the apology arrives."""
    person = world.person()
    await person.text("this fails")
    path = await world.path(person, PATH)
    assert (path[1].error, path[1].attributes["parley.outcome"]) == ("failed", "failed")
    below = [span for span in world.spans.below(path[1]) if span.name != "send part"]
    failed = [(span.name, span.error, span.attributes.get("http.request.resend_count")) for span in below]
    assert failed == [
        ("brain webhook", "503", None),
        ("brain webhook", "503", 1),
        ("dead letter", "dead_letter", None),
    ]


async def undelivered(world: World) -> None:
    """Twilio took the part, and the carrier did not."""
    person = world.person()
    await world.fault(person, Place.CREATE, Fault.ASYNC_ERROR, code=30005)
    await person.text("follow me")
    path = await world.path(person, PATH, "undelivered")
    assert [span.error for span in path] == [None] * (len(PATH) - 1) + ["30005"]
    assert path[-1].attributes["twilio.error_code"] == 30005


async def failed_unsampled(world: World) -> None:
    """Of two traces that nobody wants, the one that fails is told of, by the processes in which it did."""
    lucky, unlucky = world.person(), world.person()
    await world.fault(unlucky, Place.CREATE, Fault.STATUS, status=400, code=21211)
    origin = a_span(sampled=False)
    for person, caused in ((lucky, a_span(sampled=False)), (unlucky, origin)):
        await world.publish(person, "news for you", Priority.OPERATOR, origin=caused)
    await lucky.wait_for(1)
    failed = await world.span(unlucky, "send part")
    assert (failed.error, failed.attributes["parley.final"]) == ("recipient", True)
    post = await wait_until(lambda: [s for s in world.spans.all if s.parent == failed.span], S, what="the POST")
    assert [(span.name, span.error) for span in post] == [("twilio POST Messages", "400")]
    assert {span.attributes[SENT_FOR] for span in (failed, *post)} == {"failure"}
    assert world.traces(unlucky) == {format_trace_id(origin.trace_id)}
    assert world.traces(lucky) == set()


async def forged(world: World) -> None:
    """What nobody signed begins a trace of its own, whatever it says, and is no failure of ours."""
    origin = a_span()
    parent = f"00-{format_trace_id(origin.trace_id)}-{format_span_id(origin.span_id)}-01"
    url = f"{world.stack.url('ingress')}/webhooks/twilio/status"
    async with httpx.AsyncClient() as http:
        headers = {"traceparent": parent}
        answer = await http.post(url, params={"traceparent": parent}, headers=headers, data={"From": "x"})
    assert answer.status_code == 403

    def refused() -> list[Told]:
        return [span for span in world.spans.all if span.attributes.get("http.response.status_code") == 403]

    (span,) = await wait_until(refused, S, what="the span of the refusal")
    assert (span.name, span.parent, span.links, span.error) == ("webhook status", "", (), None)
    assert world.spans.of_trace(format_trace_id(origin.trace_id)) == []


async def not_held(world: World) -> None:
    """The broker is frozen: the webhook is answered 503, and brought again."""
    person = world.person()
    world.stack["nats"].pause()
    await world.simulator.text(InboundText(sender=person.number, body="follow me"))
    failed = await world.span(person, "webhook inbound", {"http.response.status_code": 503})
    world.stack["nats"].resume()
    assert failed.error == "503"
    again = await world.span(person, "webhook inbound", {"http.response.status_code": 200})
    assert again.trace != failed.trace
    await world.path(person, PATH)


def _names(span: SpanContext) -> tuple[str, str]:
    return format_trace_id(span.trace_id), format_span_id(span.span_id)


GENTLE: tuple[Case, ...] = (
    replied,
    burst,
    interrupted,
    throttled,
    proven,
    resent,
    scheduled,
    texted_by_operator,
    backfilled,
    polled,
    brain_failed,
    undelivered,
    failed_unsampled,
    forged,
)
HARMFUL: tuple[Case, ...] = (egress_crashed, not_held, agent_crashed)
CASES = {case.__doc__ or case.__name__: case for case in (*GENTLE, *HARMFUL)}


@pytest.mark.parametrize("case", CASES)
async def test_the_trace_tells_that(case: str, world: World) -> None:
    await world.over(CASES[case])


_CHOSEN = {"chat": "model", "execute_tool": "tool"}


def general(span: Told) -> str:
    """The span's name, with a word in braces for what an operator chose."""
    return re.sub(r"^(chat|execute_tool) \S+$", lambda found: f"{found[1]} {{{_CHOSEN[found[1]]}}}", span.name)


async def everything(world: World) -> list[Told]:
    """The spans of all cases."""
    for case in CASES.values():
        await world.over(case)
    return world.spans.all


async def test_the_page_names_every_span_and_no_other(world: World) -> None:
    rows = re.findall(r"^\| `([^`]+)` \| ([A-Z]+) \| ([a-z, ]+) \|", TRACES, re.MULTILINE)
    documented = {(name, kind): set(services.split(", ")) for name, kind, services in rows}
    told: dict[tuple[str, str], set[str]] = {}
    for span in await everything(world):
        told.setdefault((general(span), span.kind), set()).add(span.service)
    assert told.keys() == documented.keys()
    assert {
        span: services - documented[span] for span, services in told.items() if services - documented[span]
    } == {}


async def test_the_page_names_every_attribute_and_no_other(world: World) -> None:
    spans = await everything(world)
    rows = re.findall(r"^\| `([a-z_.]+)` \| ((?:`[^`]+`(?:, )?)+|all) \|", TRACES, re.MULTILINE)
    documented = {name: set(re.findall(r"`([^`]+)`", of)) if of != "all" else None for name, of in rows}
    told: dict[str, set[str]] = {}
    for span in spans:
        for name in span.attributes:
            told.setdefault(name, set()).add(general(span))
    assert told.keys() == documented.keys()
    undocumented = {name: of - (documented[name] or of) for name, of in told.items()}
    assert {name: of for name, of in undocumented.items() if of} == {}


async def test_every_process_says_who_it_is(world: World) -> None:
    resources = [span.resource for span in await everything(world)]
    assert {resource["service.name"] for resource in resources} == {
        f"parley-{service}" for service in ("ingress", "agent", "egress", "status")
    }
    assert {resource["service.version"] for resource in resources} == {version("parley-common")}
    instances = {(resource["service.name"], resource["service.instance.id"]) for resource in resources}
    assert len({instance for _, instance in instances}) == len(instances) > 4, "one for each start of a process"


async def test_no_span_has_events_and_every_failure_a_word_from_a_closed_set(world: World) -> None:
    spans = await everything(world)
    assert [span.name for span in spans if span.events] == []
    failed = [span for span in spans if span.error is not None]
    assert [span.name for span in failed if span.error != span.attributes["error.type"]] == []
    assert [span.error for span in failed if not re.fullmatch(r"\w{2,40}", span.error or "")] == []
