"""No value is dead: each one, said otherwise, changes what is rendered, for its own component."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chart.cases import CASES
from chart.objects import identity, nested
from chart.other_values import base, other
from harness.helm import CHART, Manifest, parse, render, render_text

VALUES = parse((CHART / "values.yaml").read_text())[0]
COMPONENTS = ("ingress", "agent", "egress", "status", "cli", "simulator")

# What several components say alike is tried for all of them at once.
ALIKE = re.compile(r"(resources|autoscaling|podDisruptionBudget|deployment|service|keda)\.")

# What all of them may be tried under: nothing decides on numbers twice, and the simulator is there.
FOR_ALL = (*CASES["hpa"], {"simulator": {"enabled": True}})

# What can only be said with something else.
EXEMPT = {"nats.embedded.enabled": "another broker must be said with it: see the case nats-external"}


def _leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value with its path; a list is one value, and so is a mapping in which nothing is said."""
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _alike() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, _ in _leaves(VALUES):
        component, rest = path[0], ".".join(path[1:])
        if component in COMPONENTS and ALIKE.match(rest):
            found.setdefault(rest, []).append(component)
    return found


def _single() -> dict[str, Any]:
    alike = {f"{component}.{rest}" for rest, components in _alike().items() for component in components}
    return {name: value for path, value in _leaves(VALUES) if (name := ".".join(path)) not in alike}


@pytest.mark.parametrize("path", [path for path in _single() if path not in EXEMPT])
def test_another_value_renders_something_else(path: str) -> None:
    case = CASES[base(path)]
    assert render_text(*case) != render_text(*case, _said(path, other(path, _single()[path])))


@pytest.mark.parametrize("rest", _alike())
def test_a_component_s_own_value_changes_that_component(rest: str) -> None:
    components = _alike()[rest]
    case = CASES["everything"] if rest.startswith("keda") else FOR_ALL
    if rest in ("autoscaling.enabled", "keda.enabled"):
        case = CASES["postgres"]
    changed: dict[str, Any] = {}
    for component in components:
        changed |= _said(f"{component}.{rest}", other(rest, _value((component, *rest.split(".")))))
    before, after = _objects(*case), _objects(*case, changed)
    differing = [
        before.get(one) or after[one] for one in before.keys() | after.keys() if before.get(one) != after.get(one)
    ]
    assert {one["metadata"]["labels"]["app.kubernetes.io/component"] for one in differing} >= set(components)


def _value(path: tuple[str, ...]) -> Any:
    return functools.reduce(lambda tree, step: tree[step], path, VALUES)


def _said(path: str, value: Any) -> dict[str, Any]:
    """A tree with one value; a key of Kubernetes' may hold dots."""
    steps = next(steps for steps, _ in _leaves(VALUES) if ".".join(steps) == path)
    return dict(nested(steps, value))


def _objects(*values: Any) -> dict[tuple[str, str], Manifest]:
    return {identity(one): one for one in render(*values)}
