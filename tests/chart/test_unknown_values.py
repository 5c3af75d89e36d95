"""A misspelt value is refused wherever it stands, and the schema describes every value that there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chart.cases import MINIMAL
from chart.objects import leaves, nested
from harness.helm import CHART, VERSIONS, parse, refusal

VALUES = parse((CHART / "values.yaml").read_text())[0]
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
BOGUS = "misspelt"

# Trees that are Kubernetes' or the operator's own: whatever stands there is handed on.
HANDED_ON = re.compile(
    r"global|(pod)?(annotations|Annotations|Labels|labels)|nodeSelector|affinity|(podS|s)ecurityContext|resources"
    r"|requests|limits|files|digests|passwords|namespaceSelector|podSelector|matchLabels|resourceAttributes"
    r"|extraIngress|extraEgress"
)


def test_a_misspelt_value_is_refused_at_every_level() -> None:
    paths = list(_owned(VALUES))
    assert len(paths) > 60
    bogus: dict[str, Any] = {}
    for path in paths:
        _merge(bogus, nested((*path, BOGUS), 1))
    told = refusal(MINIMAL, bogus)
    refused = set(re.findall(r"at '/?([^']*)': additional propert\w+ '[^']*misspelt'", told))
    assert {"/".join(path) for path in paths} == refused


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "path", [(), ("ingress",), ("nats", "embedded", "storage"), ("agent", "deployment")], ids=str
)
def test_both_helms_refuse_a_misspelt_value(path: tuple[str, ...], version: int) -> None:
    assert BOGUS in refusal(MINIMAL, nested((*path, BOGUS), 1), version=version)


def test_every_value_has_its_place_in_the_schema_and_every_place_a_value() -> None:
    in_values = {".".join(map(str, path)) for path, _ in leaves(VALUES) if not _handed_on(path)}
    in_schema = {".".join(path) for path in _described(SCHEMA)}
    missing = {
        path for path in in_values if not any(path == one or path.startswith(f"{one}.") for one in in_schema)
    }
    assert missing == set()
    unknown = {
        one for one in in_schema if not any(path == one or path.startswith(f"{one}.") for path in in_values)
    }
    above = {"enabled"}  # a chart above this one sets it, in the condition of its dependency
    assert {one for one in unknown if not _handed_on(one.split("."))} == above


def _owned(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every level whose names are the chart's own."""
    yield path
    for name, value in tree.items():
        if isinstance(value, dict) and not HANDED_ON.fullmatch(name):
            yield from _owned(value, (*path, name))


def _handed_on(path: Any) -> bool:
    return any(HANDED_ON.fullmatch(str(step)) for step in path)


def _described(schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    while "$ref" in schema:
        found: Any = SCHEMA
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    inner = schema.get("properties")
    if not inner:
        yield path
        return
    for name, described in inner.items():
        yield from _described(described, (*path, name))


def _merge(into: dict[str, Any], tree: Mapping[str, Any]) -> None:
    for name, value in tree.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
