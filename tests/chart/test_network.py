"""Who may reach whom in each release, worked out from its NetworkPolicies, equals this table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from chart.cases import CASES
from chart.objects import Workload, of_kind, workloads
from chart.reachability import End, may_reach
from harness.helm import Manifest, render

SERVICES = ("ingress", "agent", "egress", "status")
CLIENTS = (*SERVICES, "declare", "cli")
PORTS = {"ingress": 8080, "agent": 8083, "egress": 8084, "status": 8081}
NAMESPACE = "parley"

# Pods of others: their labels, their namespace, and what they listen on.
GATEWAY = End(name="gateway", address="10.1.1.1", namespace="gateways", labels={"app": "envoy"})
PROMETHEUS = End(name="prometheus", address="10.1.1.2", namespace="monitoring", labels={"app": "prometheus"})
KEDA = End(name="keda", address="10.1.1.3", namespace="keda", labels={"app": "keda-operator"})
DNS = End(name="dns", address="10.1.1.4", namespace="kube-system", labels={"k8s-app": "kube-dns"})
NEIGHBOUR = End(name="neighbour", address="10.1.1.5", namespace=NAMESPACE, labels={"app": "neighbour"})
STRANGER = End(name="stranger", address="10.1.1.6", namespace="strangers", labels={"app": "stranger"})
INTERNET = End(name="internet", address="203.0.113.7")
INTERNET_6 = End(name="internet-6", address="2001:db8::7")
METADATA = End(name="metadata", address="169.254.169.254")
PRIVATE = End(name="private", address="10.9.9.9")
DATABASE = End(name="database", address="10.30.0.5")
BROKER = End(name="broker", address="10.20.0.5")
OTHERS = (GATEWAY, PROMETHEUS, KEDA, DNS, NEIGHBOUR, STRANGER)
OUTSIDE = (INTERNET, INTERNET_6, METADATA, PRIVATE, DATABASE, BROKER)

PROBES = {
    **{component: (port,) for component, port in PORTS.items()},
    "nats": (4222, 6222, 8222, 7777),
    "simulator": (8082,),
    "jaeger": (4318, 16686),
    **dict.fromkeys(("test", "cli", "declare", "migrate", "backup"), (80,)),
    "dns": (53,),
    **dict.fromkeys(("gateway", "prometheus", "keda", "neighbour", "stranger"), (80, 443)),
    **dict.fromkeys(("internet", "internet-6"), (80, 443)),
    **dict.fromkeys(("metadata", "private"), (80, 443, 4222, 5432)),
    "database": (5432, 443),
    "broker": (4222, 443),
}

Table = dict[str, set[str]]


def _row(sources: Iterable[str], *targets: str) -> Table:
    return {source: set(targets) for source in sources}


def _plus(*tables: Table) -> Table:
    whole: Table = {}
    for table in tables:
        for source, targets in table.items():
            whole.setdefault(source, set()).update(targets)
    return whole


def _at(components: Iterable[str]) -> set[str]:
    return {f"{component}:{PORTS[component]}" for component in components}


TWILIO = ("internet:443", "internet-6:443")
EVERYBODY = ("gateway", "prometheus", "keda", "neighbour", "stranger", "dns")

# What every release has: names are looked up, ingress is for whoever routes to it, Prometheus reads the services.
ALWAYS = _plus(
    _row((*CLIENTS, "test"), "dns:53"),
    _row(EVERYBODY, *_at(["ingress"])),
    _row(["prometheus", "test"], *_at(SERVICES)),
)
EMBEDDED = _plus(_row(CLIENTS, "nats:4222"), _row(["nats"], "nats:6222", "dns:53"), _row(["keda"], "nats:8222"))
REAL = _row(SERVICES, *TWILIO)
POSTGRES = _plus(_row(["status", "migrate"], "database:5432"), _row(["migrate"], "dns:53"))
BACKUP = _row(["backup"], "dns:53", "nats:4222")
JAEGER = _row(SERVICES, "jaeger:4318")

EXPECTED: dict[str, Table] = {
    "minimal": _plus(ALWAYS, EMBEDDED, REAL),
    "demo": _plus(
        ALWAYS,
        EMBEDDED,
        JAEGER,
        _row(["agent"], *TWILIO),
        _row(["simulator"], "dns:53", *_at(["ingress"])),
        _row(SERVICES, "simulator:8082"),
    ),
    "production": _plus(ALWAYS, EMBEDDED, REAL, BACKUP, POSTGRES, _row(["status", "migrate"], "private:5432")),
    "ha": _plus(ALWAYS, EMBEDDED, REAL, BACKUP, POSTGRES, _row(["status", "migrate"], "private:5432")),
    "postgres": _plus(ALWAYS, EMBEDDED, REAL, POSTGRES),
    "nats-external": _plus(ALWAYS, REAL, _row((*CLIENTS, "backup"), "broker:4222"), _row(["backup"], "dns:53")),
    "monitoring": _plus(ALWAYS, EMBEDDED, REAL, JAEGER, _row(["prometheus"], "nats:7777")),
    "httproute": _plus(ALWAYS, EMBEDDED, REAL, _row(EVERYBODY, *_at(["status"]))),
}


@pytest.mark.parametrize("case", EXPECTED)
def test_who_may_reach_whom_is_what_is_meant(case: str) -> None:
    objects = render(*CASES[case])
    assert _table(objects) == EXPECTED[case]


def test_a_gateway_that_is_named_is_the_only_way_in() -> None:
    gateway = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateways"}}}
    table = _table(render(*CASES["httproute"], {"networkPolicy": {"gateway": gateway}}))
    allowed = {name for name, targets in table.items() if targets & _at(["ingress", "status"])}
    assert allowed == {"gateway", "prometheus", "test"}


def test_without_policies_all_is_open() -> None:
    table = _table(render(*CASES["no-policies"]))
    assert {"ingress:8080", "nats:4222", "nats:8222", "private:443"} <= table["stranger"] | table["ingress"]


@pytest.mark.parametrize("case", [case for case in CASES if case != "no-policies"])
def test_every_pod_is_closed_in_both_directions(case: str) -> None:
    objects = render(*CASES[case])
    policies = of_kind(objects, "NetworkPolicy")
    for each in workloads(objects):
        own = [one for one in policies if one["spec"]["podSelector"]["matchLabels"].items() <= each.labels.items()]
        assert {kind for one in own for kind in one["spec"]["policyTypes"]} == {"Ingress", "Egress"}, (
            each.component
        )


def test_further_rules_open_what_they_name_and_nothing_else() -> None:
    further = {
        "agentEgress": [{"to": [{"ipBlock": {"cidr": "10.9.9.9/32"}}], "ports": [{"port": 80}]}],
        "extraIngress": {"status": [{"from": [{"podSelector": {"matchLabels": {"app": "neighbour"}}}]}]},
        "extraEgress": {
            "egress": [{"to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}], "ports": [{"port": 80}]}]
        },
    }
    before = EXPECTED["minimal"]
    after = _table(render(*CASES["minimal"], {"networkPolicy": further}))
    assert after == _plus(
        before,
        _row(["agent"], "private:80"),
        _row(["neighbour"], "status:8081"),
        _row(["egress"], "metadata:80"),
    )


def test_a_load_balancer_that_is_no_pod_is_let_in_by_its_address() -> None:
    nobody = {"namespaceSelector": {"matchLabels": {"no": "body"}}}
    policy = {"gateway": {**nobody, "cidrs": [f"{GATEWAY.address}/32"]}}
    table = _table(render(*CASES["httproute"], {"networkPolicy": policy}))
    allowed = {name for name, targets in table.items() if targets & _at(["ingress", "status"])}
    assert allowed == {"gateway", "prometheus", "test"}


def test_names_are_asked_where_the_cluster_says_they_are() -> None:
    dns = {
        "namespaceSelector": {"matchLabels": {"no": "body"}},
        "cidrs": [f"{DNS.address}/32"],
        "ports": [5353, 53],
    }
    assert _table(render(*CASES["minimal"], {"networkPolicy": {"dns": dns}})) == EXPECTED["minimal"]
    policies = of_kind(render(*CASES["minimal"], {"networkPolicy": {"dns": dns}}), "NetworkPolicy")
    ports = {port["port"] for one in policies for rule in one["spec"]["egress"] for port in rule.get("ports", [])}
    assert 5353 in ports
    nowhere = {"networkPolicy": {"dns": {**dns, "cidrs": []}}}
    assert not any("dns:53" in targets for targets in _table(render(*CASES["minimal"], nowhere)).values())


def _table(objects: list[Manifest]) -> Table:
    """By source, what of ``PROBES`` it reaches; what others do among themselves is left out."""
    policies = of_kind(objects, "NetworkPolicy")
    own = [_end(each, number) for number, each in enumerate(workloads(objects))]
    found: Table = {}
    for source in (*own, *(_labelled(one) for one in OTHERS)):
        targets = (*own, *(_labelled(one) for one in OTHERS), *OUTSIDE) if source in own else own
        for target in targets:
            for port in PROBES[target.name]:
                if may_reach(policies, source, target, port, "UDP" if port == 53 else "TCP"):
                    found.setdefault(source.name, set()).add(f"{target.name}:{port}")
    return found


def _end(each: Workload, number: int) -> End:
    ports: dict[str, Any] = {
        port["name"]: port["containerPort"] for one in each.containers for port in one.get("ports", [])
    }
    return _labelled(
        End(
            name=each.component,
            address=f"10.2.0.{number + 1}",
            namespace=NAMESPACE,
            labels=each.labels,
            ports=ports,
        )
    )


def _labelled(end: End) -> End:
    """With the label that Kubernetes gives every namespace."""
    return End(
        name=end.name,
        address=end.address,
        namespace=end.namespace,
        labels=end.labels,
        namespace_labels={"kubernetes.io/metadata.name": str(end.namespace)},
        ports=end.ports,
    )
