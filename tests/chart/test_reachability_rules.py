"""The evaluator of NetworkPolicies keeps Kubernetes' rules."""

from __future__ import annotations

from typing import Any

import pytest

from chart.reachability import End, directions, may_reach, selects

WEB = End(
    name="web",
    address="10.1.0.1",
    namespace="shop",
    labels={"app": "web"},
    namespace_labels={"team": "a"},
    ports={"http": 8080},
)
DATABASE = End(
    name="database",
    address="10.1.0.2",
    namespace="shop",
    labels={"app": "db"},
    namespace_labels={"team": "a"},
    ports={"sql": 5432},
)
STRANGER = End(
    name="stranger", address="10.1.0.3", namespace="other", labels={"app": "web"}, namespace_labels={"team": "b"}
)
TWILIO = End(name="Twilio", address="203.0.113.7")
METADATA = End(name="metadata", address="169.254.169.254")


def policy(selector: dict[str, Any], *, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    """A policy over the pods that a selector selects."""
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": "p", "namespace": namespace},
        "spec": {"podSelector": selector, **spec},
    }


def test_without_policies_everybody_reaches_everybody() -> None:
    assert may_reach([], WEB, DATABASE, 5432)
    assert may_reach([], STRANGER, DATABASE, 1)
    assert may_reach([], WEB, TWILIO, 443)


def test_a_selected_pod_is_closed_in_the_named_direction_only() -> None:
    closed = [policy({}, policyTypes=["Ingress"])]
    assert not may_reach(closed, WEB, DATABASE, 5432)
    assert may_reach(closed, WEB, TWILIO, 443)
    assert may_reach([policy({}, policyTypes=["Egress"])], STRANGER, WEB, 8080)
    assert not may_reach([policy({}, policyTypes=["Egress"])], WEB, STRANGER, 8080)


def test_a_policy_of_another_namespace_or_over_other_pods_closes_nothing() -> None:
    assert may_reach([policy({}, namespace="other", policyTypes=["Ingress"])], WEB, DATABASE, 5432)
    assert may_reach([policy({"matchLabels": {"app": "web"}}, policyTypes=["Ingress"])], WEB, DATABASE, 5432)


def test_both_ends_must_let_a_connection_through() -> None:
    out = policy({"matchLabels": {"app": "web"}}, policyTypes=["Egress"], egress=[{}])
    shut = policy({"matchLabels": {"app": "db"}}, policyTypes=["Ingress"])
    into = policy({"matchLabels": {"app": "db"}}, policyTypes=["Ingress"], ingress=[{}])
    assert not may_reach([out, shut], WEB, DATABASE, 5432)
    assert may_reach([out, shut, into], WEB, DATABASE, 5432), "rules of several policies add up"


@pytest.mark.parametrize(
    ("peer", "fits"),
    [
        pytest.param({"podSelector": {"matchLabels": {"app": "web"}}}, {"web"}, id="its own namespace"),
        pytest.param({"namespaceSelector": {}}, {"web", "stranger"}, id="every namespace"),
        pytest.param({"namespaceSelector": {"matchLabels": {"team": "b"}}}, {"stranger"}, id="one namespace"),
        pytest.param(
            {"namespaceSelector": {"matchLabels": {"team": "b"}}, "podSelector": {"matchLabels": {"app": "x"}}},
            set(),
            id="both selectors must fit",
        ),
        pytest.param({"ipBlock": {"cidr": "0.0.0.0/0"}}, {"web", "stranger", "Twilio", "metadata"}, id="a block"),
        pytest.param(
            {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "169.254.0.0/16"]}},
            {"Twilio"},
            id="a block without its exceptions",
        ),
        pytest.param({"ipBlock": {"cidr": "::/0"}}, set(), id="a block of the other family"),
    ],
)
def test_a_peer_is_who_its_selectors_or_its_block_name(peer: dict[str, Any], fits: set[str]) -> None:
    over = policy({"matchLabels": {"app": "db"}}, policyTypes=["Ingress"], ingress=[{"from": [peer]}])
    assert {
        one.name for one in (WEB, STRANGER, TWILIO, METADATA) if may_reach([over], one, DATABASE, 5432)
    } == fits


@pytest.mark.parametrize(
    ("ports", "fits"),
    [
        pytest.param([{"port": 5432}], {5432}, id="a number"),
        pytest.param([{"port": "sql"}], {5432}, id="a name, of the target's"),
        pytest.param([{"port": "http"}], set(), id="a name that the target does not have"),
        pytest.param([{"port": 5000, "endPort": 5432}], {5000, 5432}, id="a range"),
        pytest.param([{"protocol": "UDP", "port": 5432}], set(), id="another protocol"),
        pytest.param([{"protocol": "TCP"}], {5000, 5432, 5433}, id="all of a protocol"),
        pytest.param([], {5000, 5432, 5433}, id="no list: all"),
    ],
)
def test_ports_are_matched_by_number_name_and_range(ports: list[dict[str, Any]], fits: set[int]) -> None:
    over = policy({"matchLabels": {"app": "web"}}, policyTypes=["Egress"], egress=[{"ports": ports}])
    assert {port for port in (5000, 5432, 5433) if may_reach([over], WEB, DATABASE, port)} == fits


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param({"key": "app", "operator": "In", "values": ["web", "x"]}, True, id="in"),
        pytest.param({"key": "app", "operator": "NotIn", "values": ["web"]}, False, id="not in"),
        pytest.param({"key": "tier", "operator": "NotIn", "values": ["web"]}, True, id="not in: no key"),
        pytest.param({"key": "tier", "operator": "Exists"}, False, id="exists"),
        pytest.param({"key": "tier", "operator": "DoesNotExist"}, True, id="does not exist"),
    ],
)
def test_expressions_are_kept(expression: dict[str, Any], expected: bool) -> None:
    assert selects({"matchExpressions": [expression]}, {"app": "web"}) is expected


def test_without_types_a_policy_closes_what_comes_in_and_with_rules_for_it_what_goes_out() -> None:
    assert directions(policy({})) == ["Ingress"]
    assert directions(policy({}, egress=[])) == ["Ingress", "Egress"]
