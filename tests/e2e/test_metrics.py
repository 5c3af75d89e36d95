"""The metrics of ``docs/telemetry.md`` are those of the running processes: names, types, labels and values."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable

import httpx
import pytest
from prometheus_client import REGISTRY

from harness.metric_table import DOCS, ROWS, Row, shown_name
from harness.metrics import OPEN, PLAIN, Scrape, scrape
from harness.people import Person
from harness.stack import Stack
from harness.waiting import wait_until
from parley_common.broker import Broker
from parley_common.bus import Bus
from parley_common.control import EVERY_CHANNEL, switch_sending

pytestmark = pytest.mark.anyio

SERVICES = ("ingress", "agent", "egress", "status")
MODULES = (
    "parley_common.service",
    "parley_brains.llm.ledger",
    *(f"parley_{service}.work" for service in SERVICES),
    "parley_ingress.webhooks",
    "parley_ingress.media",
)
"""Who imports these has all metrics in the registry."""

ONLY_WITH_A_MODEL = {"parley_model_tokens_total"}
ONE_AT_A_TIME = {"parley_brain_seconds": "brain"}
"""A label of which one process shows one value."""

NO_NUMBERS = {"P2", "P11"}


@pytest.fixture(scope="module")
async def scrapes(whole: Stack) -> dict[str, Scrape]:
    """What each service tells before anybody has texted."""
    return {service: await scrape(whole.url(service)) for service in SERVICES}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_emits_the_metrics_of_the_page_and_no_others(
    service: str, scrapes: dict[str, Scrape]
) -> None:
    emitted = {(shown_name(family.name, family.type), family.type) for family in scrapes[service].families}
    written = {(row.name, row.kind) for row in ROWS if service in row.services}
    assert emitted == {one for one in written if one[0] not in ONLY_WITH_A_MODEL}


def test_the_labels_of_the_page_are_those_of_the_metrics() -> None:
    for module in MODULES:
        importlib.import_module(module)
    collectors = REGISTRY._names_to_collectors
    metrics = {collector for name, collector in collectors.items() if name.startswith("parley_")}
    kept = {
        shown_name(metric._name, metric._type): set(metric._labelnames)  # type: ignore[attr-defined]
        for metric in metrics
    }
    assert {row.name: set(row.labels) for row in ROWS} == kept


@pytest.mark.parametrize("row", [row for row in ROWS if any(row.labels.values())], ids=lambda row: row.name)
async def test_the_values_of_the_page_are_there_before_anybody_has_texted(
    row: Row, scrapes: dict[str, Scrape]
) -> None:
    if row.name in ONLY_WITH_A_MODEL:
        return
    name = f"{row.name}_count" if row.kind == "histogram" else row.name
    samples = [sample for service in row.services for sample in scrapes[service].samples(name)]
    for label, values in row.labels.items():
        shown = {sample.labels[label] for sample in samples}
        if ONE_AT_A_TIME.get(row.name) == label:
            assert shown < values
        elif values:
            assert shown == values


def test_every_promise_that_a_number_can_watch_has_one() -> None:
    promises = set(re.findall(r"^\| (P\d+) \|", (DOCS / "promises.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert {promise for row in ROWS for promise in row.watches} == promises - NO_NUMBERS


async def test_one_text_is_seen_in_all_four_services(
    whole: Stack, scrapes: dict[str, Scrape], somebody: Callable[[], Person]
) -> None:
    person = somebody()
    await person.text("ECHO count me")
    await person.wait_for(1)

    async def delivered() -> bool:
        now = await scrape(whole.url("status"))
        return now.value("parley_deliveries_total", status="delivered") == 1

    await wait_until(delivered, 20.0, what="a delivery being counted")
    after = {service: await scrape(whole.url(service)) for service in SERVICES}
    more = {
        ("ingress", "parley_webhooks_total", "inbound 200"): 1,
        ("ingress", "parley_webhook_seconds_count", "inbound"): 1,
        ("agent", "parley_turns_total", "answered"): 1,
        ("agent", "parley_answer_seconds_count", ""): 1,
        ("agent", "parley_brain_seconds_count", "scripted answered"): 1,
        ("egress", "parley_parts_total", "Created"): 1,
        ("egress", "parley_send_seconds_count", "Created"): 1,
        ("egress", "parley_rate_wait_seconds_count", "reply"): 1,
        ("egress", "parley_reply_seconds_count", ""): 1,
        ("egress", "parley_senders_owned", ""): 1,
        ("status", "parley_deliveries_total", "delivered"): 1,
        ("status", "parley_delivery_seconds_count", "delivered"): 1,
        ("status", "parley_status_events_folded_total", "TurnDone"): 1,
    }
    for (service, name, labels), wanted in more.items():
        assert values(after[service], name)[labels] - values(scrapes[service], name)[labels] == wanted, name
    for service, name in (
        ("ingress", "parley_webhook_seconds"),
        ("agent", "parley_answer_seconds"),
        ("agent", "parley_brain_seconds"),
        ("egress", "parley_send_seconds"),
        ("egress", "parley_reply_seconds"),
    ):
        traces = after[service].exemplars(name)
        assert traces, name
        assert all(re.fullmatch("[0-9a-f]{32}", trace) for trace in traces)
    assert all(one.value("parley_broker_connected") == 1 for one in after.values())


async def test_no_metric_tells_who_wrote_what(whole: Stack, somebody: Callable[[], Person]) -> None:
    person = somebody()
    await person.text("ECHO heliotrope")
    await person.wait_for(1)
    async with httpx.AsyncClient() as http:
        for service in SERVICES:
            told = (await http.get(f"{whole.url(service)}/metrics", headers={"Accept": OPEN})).text
            assert "parley_" in told
            assert "heliotrope" not in told
            assert person.number.removeprefix("+") not in told


async def test_what_is_answered_is_no_lag(whole: Stack, somebody: Callable[[], Person]) -> None:
    person = somebody()
    await person.text("ECHO and gone")
    await person.wait_for(1)
    for service in ("agent", "egress", "status"):

        async def idle(service: str = service) -> bool:
            told = await scrape(whole.url(service))
            counts = told.samples("parley_lag")
            ages = told.samples("parley_lag_seconds")
            return bool(counts) and all(sample.value == 0 for sample in (*counts, *ages))

        await wait_until(idle, 20.0, what=f"the lag of {service} being 0")


async def test_a_pause_is_shown_while_it_lasts(whole: Stack) -> None:
    async def paused(wanted: int) -> bool:
        return (await scrape(whole.url("egress"))).value("parley_paused", channel="default") == wanted

    bus = Bus(Broker(whole.nats_url), name="test")
    await bus.connect()
    try:
        await switch_sending(bus, EVERY_CHANNEL, paused=True, reason="a test")
        await wait_until(lambda: paused(1), what="the pause being shown")
    finally:
        await switch_sending(bus, EVERY_CHANNEL, paused=False, reason="a test")
        await bus.close()
    await wait_until(lambda: paused(0), what="its end being shown")


@pytest.mark.parametrize("service", SERVICES)
async def test_who_does_not_ask_for_openmetrics_gets_the_same_as_plain_text(service: str, whole: Stack) -> None:
    plain, opened = [await scrape(whole.url(service), accept) for accept in (PLAIN, OPEN)]
    assert {family.name for family in plain.families} == {family.name for family in opened.families}
    assert {sample.name for family in plain.families for sample in family.samples} == {
        sample.name for family in opened.families for sample in family.samples
    }
    assert not any(sample.exemplar for family in plain.families for sample in family.samples)


def values(told: Scrape, name: str) -> dict[str, float]:
    """The samples of a name, by the values of their labels."""
    order = next(row.labels for row in ROWS if name in (row.name, f"{row.name}_count"))
    return {" ".join(sample.labels[label] for label in order): sample.value for sample in told.samples(name)}
