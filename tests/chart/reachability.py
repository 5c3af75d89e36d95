"""Who may reach whom, worked out from NetworkPolicies as Kubernetes would enforce them.

A pod that no policy selects in a direction is open in it; one that some policy selects is closed but for what its
rules allow. A connection needs both ends' leave: the source's for going out, the target's for coming in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Policy = Mapping[str, Any]
Rule = Mapping[str, Any]

_PEERS = {"Ingress": "from", "Egress": "to"}


@dataclass(frozen=True, kw_only=True)
class End:
    """A pod, or an address outside the cluster, which has no namespace. ``ports``: those that have names."""

    name: str
    address: str
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)


def may_reach(policies: Sequence[Policy], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection is let through at both of its ends."""
    port_of = (target, port, protocol)
    return _allows(policies, "Egress", source, target, port_of) and _allows(
        policies, "Ingress", target, source, port_of
    )


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects these labels; the empty one selects all."""
    exact = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def directions(policy: Policy) -> Sequence[str]:
    """The directions in which a policy closes the pods it selects."""
    spec = policy["spec"]
    implied = ["Ingress", "Egress"] if "egress" in spec else ["Ingress"]
    return list(spec.get("policyTypes") or implied)


def _allows(
    policies: Sequence[Policy], direction: str, end: End, peer: End, port_of: tuple[End, int, str]
) -> bool:
    if end.namespace is None:
        return True
    closing = [policy for policy in policies if direction in directions(policy) and _is_over(policy, end)]
    return not closing or any(
        _peer_fits(rule.get(_PEERS[direction]), peer, policy) and _port_fits(rule.get("ports"), *port_of)
        for policy in closing
        for rule in _rules(policy, direction)
    )


def _rules(policy: Policy, direction: str) -> Iterator[Rule]:
    yield from policy["spec"].get(direction.lower()) or []


def _is_over(policy: Policy, end: End) -> bool:
    return bool(_namespace(policy) == end.namespace) and selects(policy["spec"]["podSelector"], end.labels)


def _namespace(policy: Policy) -> Any:
    return policy["metadata"].get("namespace")


def _peer_fits(peers: Sequence[Mapping[str, Any]] | None, end: End, policy: Policy) -> bool:
    return not peers or any(_one_peer_fits(peer, end, policy) for peer in peers)


def _one_peer_fits(peer: Mapping[str, Any], end: End, policy: Policy) -> bool:
    if "ipBlock" in peer:
        return _in_block(peer["ipBlock"], end.address)
    if end.namespace is None:
        return False
    if "namespaceSelector" in peer:
        near = selects(peer["namespaceSelector"], end.namespace_labels)
    else:
        near = end.namespace == _namespace(policy)
    return near and selects(peer.get("podSelector") or {}, end.labels)


def _in_block(block: Mapping[str, Any], address: str) -> bool:
    one = ip_address(address)
    return one in ip_network(block["cidr"]) and not any(
        one in ip_network(cidr) for cidr in block.get("except") or []
    )


def _port_fits(ports: Sequence[Mapping[str, Any]] | None, target: End, port: int, protocol: str) -> bool:
    return not ports or any(_one_port_fits(one, target, port, protocol) for one in ports)


def _one_port_fits(allowed: Mapping[str, Any], target: End, port: int, protocol: str) -> bool:
    if allowed.get("protocol", "TCP") != protocol:
        return False
    first = allowed.get("port")
    if first is None:
        return True
    if isinstance(first, str):
        return target.ports.get(first) == port
    return bool(first <= port <= allowed.get("endPort", first))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise ValueError(f"no such operator: {other}")
