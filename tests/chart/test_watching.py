"""A running Parley, scraped by a real Prometheus: every query is answered, and nothing is alarmed without need."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import pytest

from chart.monitoring import RULES, alerts, as_grafana_asks, panels, program
from chart.prometheus import Prometheus, running_prometheus
from e2e.conftest import QUICK
from harness.people import Person, simulator_of
from harness.stack import Stack, running_stack
from harness.waiting import wait_until

pytestmark = [pytest.mark.anyio, pytest.mark.long]

SERVICES = ("ingress", "agent", "egress", "status")
PEOPLE = ("+15550190001", "+15550190002", "+15550190003")

# What is not there in this Parley: a model, the exporter of NATS, alerts, failures.
ABSENT = re.compile(r"parley_model_tokens|jetstream_|gnatsd_|ALERTS")
ONLY_FAILURES = re.compile(r"^topk\(10, .*(?:parley_part_failures|parley_delivery_failures).* > 0")

MOVED = (
    "sum(parley_webhooks_total{status='200', kind='inbound'})",
    "sum(parley_turns_total{outcome='answered'})",
    "sum(parley_parts_total{outcome='Created'})",
    "sum(parley_deliveries_total{status='delivered'})",
    "sum(parley_status_events_folded_total)",
    *(f"sum(parley_{name}_seconds_count)" for name in ("webhook", "answer", "brain", "send", "reply", "delivery")),
)


@dataclass(frozen=True)
class Watched:
    """A Parley at work and who watches it."""

    stack: Stack
    prometheus: Prometheus


@pytest.fixture(scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[Watched]:
    """Three people were answered, and Prometheus saw the numbers before and after."""
    program("prometheus")  # skips all of this where there is none
    folder = tmp_path_factory.mktemp("watched")
    async with running_stack(folder / "parley", settings=QUICK) as stack:
        targets = {f"parley-{service}-0": stack.url(service) for service in SERVICES}
        async with running_prometheus(folder / "prometheus", targets, RULES, namespace="sms") as prometheus:
            await wait_until(lambda: _is(prometheus, "count(parley_build_info)", 4), 20.0, what="four services")
            await _text(stack)
            for expression in MOVED:
                await wait_until(partial(_is, prometheus, expression, 3), 30.0, what=f"three in {expression}")
            yield Watched(stack, prometheus)


async def _text(stack: Stack) -> None:
    async with simulator_of(stack) as simulator, anyio.create_task_group() as group:
        for number in PEOPLE:
            group.start_soon(_be_answered, Person(number, simulator))


async def _be_answered(person: Person) -> None:
    await person.text("good morning")
    await person.wait_for(1)


def _asked(query: str) -> str:
    return as_grafana_asks(query, rate="1m", whole="5m", namespace="sms")


async def _is(prometheus: Prometheus, expression: str, least: float) -> bool:
    found = await prometheus.value(expression)
    return len(found) == 1 and found[0][1] >= least


async def test_every_query_of_the_dashboards_is_answered_with_numbers(watched: Watched) -> None:
    """One that is not is asked again for a while: a busy machine may have been too late for a scrape."""
    asked = [_asked(query) for panel in panels() for query in panel.queries]
    missing = [query for query in asked if not ABSENT.search(query) and not ONLY_FAILURES.search(query)]
    assert len(missing) > 100

    async def nothing_missing() -> bool:
        missing[:] = [query for query in missing if not await watched.prometheus.value(query)]
        return not missing

    try:
        await wait_until(nothing_missing, 15.0)
    finally:
        assert missing == []


async def test_no_query_of_the_dashboards_comes_to_less_than_nothing(watched: Watched) -> None:
    for panel in panels():
        for query in panel.queries:
            values = [value for _, value in await watched.prometheus.value(_asked(query))]
            assert not [value for value in values if value < 0.0], (panel.title, query)


async def test_every_chart_of_times_has_a_number_in_it(watched: Watched) -> None:
    for panel in panels():
        if panel.raw["fieldConfig"]["defaults"].get("unit") == "s" and panel.raw["type"] != "heatmap":
            values = [v for query in panel.queries for _, v in await watched.prometheus.value(_asked(query))]
            assert [value for value in values if not math.isnan(value)], (panel.dashboard, panel.title)


async def test_a_dashboard_of_another_namespace_is_empty(watched: Watched) -> None:
    for panel in panels():
        for query in panel.queries:
            found = await watched.prometheus.value(as_grafana_asks(query, namespace="another"))
            assert [value for _, value in found if value] == [], (panel.title, query)


async def test_every_rule_can_be_computed(watched: Watched) -> None:
    async def computed() -> bool:
        groups = (await watched.prometheus.ask("rules"))["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        failed = {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] == "err"}
        assert failed == {}
        return len(rules) > len(alerts()) and {rule["health"] for rule in rules} == {"ok"}

    await wait_until(computed, 20.0, what="all rules computed")


async def test_a_parley_that_works_alarms_nobody(watched: Watched) -> None:
    async def nobody() -> bool:
        return not (await watched.prometheus.ask("alerts"))["alerts"]

    await wait_until(nobody, 20.0, what="no alert, not even a pending one")


async def test_exemplars_lead_to_a_trace(watched: Watched) -> None:
    for name in ("webhook", "answer", "brain", "send", "reply"):
        found = await watched.prometheus.ask(
            "query_exemplars", query=f"parley_{name}_seconds_bucket", start="0", end="4000000000"
        )
        traces = [each["labels"].get("trace_id", "") for series in found for each in series["exemplars"]]
        assert traces, name
        assert all(re.fullmatch("[0-9a-f]{32}", trace) for trace in traces)


async def test_who_is_gone_is_told_by_name(watched: Watched) -> None:
    """The last test of this module: the agent does not come back."""
    await watched.stack["agent"].stop()

    async def pending() -> list[Any]:
        found = (await watched.prometheus.ask("alerts"))["alerts"]
        return [each for each in found if each["labels"]["alertname"] == "ParleyAbsent"]

    (alert,) = await wait_until(pending, 30.0, what="the agent's absence")
    assert alert["labels"]["service"] == "agent"
    assert alert["annotations"]["summary"] == "No metrics of agent"
