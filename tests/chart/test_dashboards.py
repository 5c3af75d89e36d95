"""The dashboards, and all queries: what they ask for exists, by name, label and value."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.cases import CASES
from chart.monitoring import (
    DASHBOARDS,
    ROOT,
    TARGET_LABELS,
    Panel,
    alerts,
    as_grafana_asks,
    documented,
    labels_of,
    panels,
    promtool,
    recordings,
)
from chart.promql import grouped, selectors
from harness.helm import render

PROMISES = ROOT / "docs/promises.md"
QUERIES = {
    **{
        f"{panel.dashboard}: {panel.title} {n}": query
        for panel in panels()
        for n, query in enumerate(panel.queries)
    },
    **{f"alert {alert['alert']}": alert["expr"] for alert in alerts()},
    **{f"recording {name}": expr for name, expr in recordings().items()},
}
SHOWN = [panel for panel in panels() if panel.raw["type"] != "text"]


def _id(panel: Panel) -> str:
    return f"{panel.dashboard}-{panel.title}"


def test_the_page_of_metrics_is_read() -> None:
    assert documented()["parley_webhooks_total"]["kind"] == {"inbound", "status"}
    assert documented()["parley_send_seconds_bucket"].keys() == {"outcome", "le"}
    assert documented()["parley_webhooks_pending"] == {}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_only_what_is_there(name: str) -> None:
    for each in selectors(QUERIES[name]):
        known = labels_of(each.metric)
        assert known is not None, f"no such metric: {each.metric}"
        for matcher in each.matchers:
            assert matcher.label in known.keys() | TARGET_LABELS, f"{each.metric} has no label {matcher.label}"
            if values := known.get(matcher.label):
                held = [value for value in values if matcher.holds(value)]
                assert held, f"no {matcher.label} of {each.metric} is {matcher.operator}{matcher.value}"


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_groups_by_labels_that_are_there(name: str) -> None:
    known = set(TARGET_LABELS)
    for each in selectors(QUERIES[name]):
        known |= (labels_of(each.metric) or {}).keys()
    assert grouped(QUERIES[name]) <= known


def test_the_prometheus_triggers_of_keda_read_only_what_is_there() -> None:
    values = {
        "agent": {"keda": {"enabled": True, "prometheus": {"serverAddress": "http://prometheus:9090"}}},
        "egress": {"keda": {"enabled": True, "prometheus": {"serverAddress": "http://prometheus:9090"}}},
    }
    found = [
        trigger["metadata"]["query"]
        for one in render(*CASES["minimal"], values)
        if one["kind"] == "ScaledObject"
        for trigger in one["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    ]
    assert len(found) == 2
    for query in found:
        for each in selectors(query):
            assert {matcher.label for matcher in each.matchers} <= documented()[each.metric].keys() | TARGET_LABELS


def test_promtool_can_read_every_query_of_a_dashboard(tmp_path: Path) -> None:
    asked = [query for panel in panels() for query in panel.queries]
    asked += [each["expr"] for path in DASHBOARDS for each in _json(path)["annotations"]["list"]]
    rules = [{"record": f"q{n}", "expr": as_grafana_asks(query)} for n, query in enumerate(asked)]
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", tmp_path / "queries.yaml")


@pytest.mark.parametrize("panel", panels(), ids=_id)
def test_each_panel_says_what_it_is(panel: Panel) -> None:
    assert panel.title
    assert len(panel.raw["description"]) > 10


@pytest.mark.parametrize("panel", SHOWN, ids=_id)
def test_each_panel_has_queries_and_a_unit_and_asks_the_chosen_prometheus(panel: Panel) -> None:
    assert panel.queries
    assert panel.raw["fieldConfig"]["defaults"]["unit"]
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert all(each["datasource"] == chosen for each in [panel.raw, *panel.raw["targets"]])
    ids = [target["refId"] for target in panel.raw["targets"]]
    assert len(set(ids)) == len(ids)
    for query in panel.queries:
        asked = [next(m for m in each.matchers if m.label == "namespace") for each in selectors(query)]
        assert {(matcher.operator, matcher.value) for matcher in asked} == {("=~", "$namespace")}


@pytest.mark.parametrize("panel", SHOWN, ids=_id)
def test_a_line_of_several_has_a_legend_that_tells_them_apart(panel: Panel) -> None:
    for target in panel.raw["targets"]:
        told = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
        top = re.match(r"(?:topk\(10, )?(?:sum|max|min|count) by \(([^)]*)\)", target["expr"])
        if top and panel.raw["type"] != "heatmap":
            assert told == set(top[1].split(", "))
    legends = [target["legendFormat"] for target in panel.raw["targets"]]
    assert len(set(legends)) == len(legends)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_panel_lies_over_another_and_all_are_within_the_width(path: Path) -> None:
    placed = [each["gridPos"] for each in _json(path)["panels"]]
    assert all(at["x"] >= 0 and at["x"] + at["w"] <= 24 and at["h"] > 0 for at in placed)
    for one, other in combinations(placed, 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_has_a_name_of_its_own_and_its_variables(path: Path) -> None:
    board = _json(path)
    assert board["uid"] == f"parley-{path.stem}"
    assert "parley" in board["tags"]
    assert board["description"]
    assert [each["name"] for each in board["templating"]["list"]] == ["datasource", "namespace", "traces"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    titles = {_json(other)["title"] for other in DASHBOARDS}
    assert len(titles) == len(DASHBOARDS) >= 4


def test_the_overview_has_a_row_for_each_promise_in_their_order() -> None:
    rows = [panel["title"] for panel in _json(_path("overview"))["panels"] if panel["type"] == "row"]
    promised = re.findall(r"^\| (P\d+) \|", PROMISES.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row.split(" · ")[0] for row in rows if " · " in row] == promised


def test_charts_of_times_show_exemplars() -> None:
    asked = [target for panel in SHOWN for target in panel.raw["targets"] if target.get("exemplar")]
    read = {each.metric.removesuffix("_bucket") for target in asked for each in selectors(target["expr"])}
    times = ("webhook", "answer", "brain", "send", "reply")
    assert {f"parley_{name}_seconds" for name in times} <= read


def _path(name: str) -> Path:
    return next(path for path in DASHBOARDS if path.stem == name)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
