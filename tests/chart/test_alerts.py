"""The rules: promtool takes them, each alert fires when it should and not else, each is in the runbook."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.monitoring import EVERYWHERE, EXAMPLES, ROOT, RULES, RUNBOOK, alerts, groups, promtool, recordings
from chart.promql import grouped, selectors
from harness.helm import CHART

NAMES = [alert["alert"] for alert in alerts()]
WORDS = "([a-z][a-z-]*(?: [a-z][a-z-]*)*)"
SECTIONS = re.findall(r"^### (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)


@cache
def _examples() -> list[dict[str, Any]]:
    return [test for path in EXAMPLES for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]]


def test_promtool_takes_the_rules() -> None:
    assert f"{len(alerts()) + len(recordings())} rules found" in promtool("check", "rules", RULES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_not_else(path: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", path)


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_has_an_example_in_which_it_fires_and_one_in_which_it_does_not(name: str) -> None:
    mine = [example for example in _examples() if example["name"] == name]
    asked = [each for example in mine for each in example["promql_expr_test"]]
    assert {each["expr"] for each in asked} == {f'ALERTS{{alertname="{name}", alertstate="firing"}}'}
    fired = [sample["labels"] for each in asked for sample in each["exp_samples"]]
    assert fired
    series = [each["series"] for example in mine for each in example["input_series"]]
    quiet = [each for each in series if 'namespace="bad"' not in each]
    assert quiet, "no series of a namespace in which it is quiet"
    assert not any('namespace="good"' in labels for labels in fired)


def test_no_example_is_of_an_alert_that_is_gone() -> None:
    assert {example["name"] for example in _examples()} == set(NAMES)


def test_the_runbook_has_a_section_for_each_alert_and_no_other_in_the_order_of_the_rules() -> None:
    assert SECTIONS == NAMES


def test_each_link_within_the_runbook_leads_somewhere() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= {name.lower() for name in NAMES}


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_says_where_to_look_and_what_to_do(section: str) -> None:
    text = RUNBOOK.read_text(encoding="utf-8").split(f"### {section}\n")[1].split("\n#")[0]
    meaning, *points = re.split(r"\n- ", text)
    assert meaning.split()
    assert [point.split()[0].strip(":,") for point in points] == ["Look", "Do"]


@pytest.mark.parametrize("alert", alerts(), ids=NAMES)
def test_each_alert_says_how_bad_it_is_what_it_is_and_where_its_runbook_is(alert: dict[str, Any]) -> None:
    assert alert["labels"].keys() == {"severity"}
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == f"docs/alerts.md#{alert['alert'].lower()}"


@pytest.mark.parametrize("alert", alerts(), ids=NAMES)
def test_an_alert_speaks_only_of_labels_that_it_has(alert: dict[str, Any]) -> None:
    said = set(re.findall(r"\$labels\.(\w+)", " ".join(alert["annotations"].values())))
    expressions = [alert["expr"], *(recordings().get(each.metric, "") for each in selectors(alert["expr"]))]
    known = set().union(*(grouped(each) for each in expressions))
    if alert["expr"].startswith("absent("):
        known |= {matcher.label for each in selectors(alert["expr"]) for matcher in each.matchers}
    assert said <= known


@pytest.mark.parametrize("alert", alerts(), ids=NAMES)
def test_a_share_is_the_value_wherever_a_share_is_told(alert: dict[str, Any]) -> None:
    """What stands left of ``and`` is the value of an alert."""
    first = re.split(r"\s(?:and|unless)\s", alert["expr"])[0]
    assert ("humanizePercentage" in alert["annotations"]["description"]) == ("/ " in first)


def test_every_selector_may_be_held_to_a_namespace() -> None:
    for group in groups():
        for rule in group["rules"]:
            bare = [each.metric for each in selectors(rule["expr"]) if not each.matchers]
            joined = {"parley:paused:max", "parley:lag:max", "parley_broker_connected"}
            assert set(bare) <= joined, "joined by their namespace, these need none; all others do"
            assert rule["expr"].count(EVERYWHERE) == len(selectors(rule["expr"])) - len(bare)


def test_every_recording_is_read_by_some_rule() -> None:
    read = {each.metric for alert in alerts() for each in selectors(alert["expr"])}
    assert recordings().keys() <= read


def test_groups_are_named_once() -> None:
    names = sorted(group["name"] for group in groups())
    assert all(one != next_one for one, next_one in pairwise(names))


def test_the_values_that_the_runbook_names_are_values_of_the_chart() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    named = [name for name in re.findall(r"`([a-z]\w*(?:\.\w+)+)`", _runbook()) if name.split(".")[0] in values]
    assert len(named) > 10
    for name in named:
        place = values
        for key in name.split("."):
            assert key in place, name
            place = place[key]


def test_the_commands_that_the_runbook_names_are_commands() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    known = {tuple(words.split()) for words in re.findall(rf"^\| `parley {WORDS}", page, re.MULTILINE)}
    named = [tuple(words.split()) for words in re.findall(rf"`parley {WORDS}", _runbook())]
    assert len(named) > 5
    for words in named:
        assert any(words[: len(each)] == each for each in known), words


def _runbook() -> str:
    return RUNBOOK.read_text(encoding="utf-8")
