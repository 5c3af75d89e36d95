"""The chart as a test sees it: real Helm, version 4 or 3, and what it renders, as parsed objects.

What was rendered once is kept beside Helm until the chart changes, since many tests look at the same. An object is
parsed as Kubernetes parses it: a key given twice is an error, and ``12:30`` or a date is a text.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "deploy/k8s/parley"
VERSIONS = (4, 3)
Manifest = dict[str, Any]
Values = Path | Mapping[str, Any]

# The kinds of others that the chart may render; Helm is told that the cluster knows them.
CUSTOM_APIS = (
    "keda.sh/v1alpha1",
    "monitoring.coreos.com/v1",
    "gateway.networking.k8s.io/v1",
)


class HelmError(AssertionError):
    """Helm refused; the text is what it said."""


def binary(version: int = 4) -> Path:
    """Where a Helm is; skips the test on machines for which none is carried, unless PARLEY_REQUIRE_HELM is set."""
    found = Path(sys.prefix) / "helm" / str(version) / "helm"
    if not found.exists():
        assert not os.environ.get("PARLEY_REQUIRE_HELM"), f"no Helm {version} at {found}: run make install"
        pytest.skip(f"no Helm {version} at {found}: run make install")
    return found


def helm(*arguments: str | Path, version: int = 4, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Runs Helm with no cluster and nobody's settings, and returns however it ended."""
    with tempfile.TemporaryDirectory(prefix="parley-helm-") as home:
        environment = {"PATH": os.defpath, "HOME": home, "KUBECONFIG": os.devnull}
        return subprocess.run(
            [binary(version), *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment,
            timeout=timeout_s,
            check=False,
        )


def render_text(
    *values: Values,
    release: str = "r",
    namespace: str = "parley",
    version: int = 4,
    kube: str = "1.29.0",
    api_versions: Sequence[str] = CUSTOM_APIS,
    chart: Path = CHART,
) -> str:
    """What ``helm template`` writes for values, later ones over earlier ones; raises HelmError."""
    options = ["--namespace", namespace, "--kube-version", kube]
    for api in api_versions:
        options += ["--api-versions", api]
    # The release's name comes after "--", as it may be any text.
    return _template(version, chart, release, tuple(options), tuple(_frozen(each) for each in values))


def render(*values: Values, **options: Any) -> list[Manifest]:
    """The objects that ``helm template`` writes, parsed; see render_text for the options."""
    return copy.deepcopy(_parsed(render_text(*values, **options)))


def refusal(*values: Values, **options: Any) -> str:
    """What Helm says to values that it must refuse; fails where it renders them."""
    try:
        render_text(*values, **options)
    except HelmError as error:
        return str(error)
    raise AssertionError(f"rendered, though it should be refused: {values}")


def notes(*values: Values, release: str = "r", namespace: str = "parley") -> str:
    """What ``helm install`` tells at its end. Only Helm 4 tells it without a cluster."""
    with _files(tuple(_frozen(each) for each in values)) as files:
        ended = helm("install", release, CHART, "--namespace", namespace, "--dry-run=client", *files)
    if ended.returncode:
        raise HelmError(ended.stderr)
    return ended.stdout.partition("\nNOTES:\n")[2]


def parse(text: str) -> list[Manifest]:
    """The objects of a stream of YAML documents; ValueError for a key that is given twice."""
    return [document for document in yaml.load_all(text, _Loader) if document is not None]


def _template(version: int, chart: Path, release: str, options: tuple[str, ...], values: tuple[str, ...]) -> str:
    state = [(str(path), stat.st_mtime_ns, stat.st_size) for path, stat in _stats(chart)]
    told = json.dumps([str(binary(version)), release, options, values])
    folder = Path(sys.prefix) / "helm/rendered" / _sum(json.dumps([str(chart), state]))
    kept = folder / f"{_sum(told)}.yaml"
    if kept.exists():
        return kept.read_text()
    with _files(values) as files:
        ended = helm("template", *options, *files, "--", release, chart, version=version)
    if ended.returncode:
        raise HelmError(ended.stderr)
    if chart == CHART:
        _keep(kept, ended.stdout)
    return ended.stdout


def _keep(kept: Path, text: str) -> None:
    """Other processes may do the same at the same time; what is of another state of the chart goes."""
    if not kept.parent.exists():
        for old in kept.parent.parent.glob("*"):
            shutil.rmtree(old, ignore_errors=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_suffix(f".{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(kept)


def _stats(chart: Path) -> list[tuple[Path, os.stat_result]]:
    return [(path, path.stat()) for path in sorted(chart.rglob("*")) if path.is_file()]


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> list[Manifest]:
    return parse(text)


def _frozen(values: Values) -> str:
    return values.read_text() if isinstance(values, Path) else json.dumps(values, ensure_ascii=False)


class _files:  # noqa: N801 - used as a function
    """The options that name values, each in a file of its own, until the end of the block."""

    def __init__(self, values: Sequence[str]) -> None:
        self._values = values
        self._folder = tempfile.TemporaryDirectory(prefix="parley-values-")

    def __enter__(self) -> list[str]:
        options = []
        for number, text in enumerate(self._values):
            path = Path(self._folder.name) / f"{number}.yaml"
            path.write_text(text)
            options += ["--values", str(path)]
        return options

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


class _Loader(yaml.CSafeLoader):
    """Reads YAML as Kubernetes does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1} - {"<<"})
        if twice:
            raise ValueError(f"given twice: {', '.join(twice)}{node.start_mark}")
        return super().construct_mapping(node, deep)


_PLAIN = {
    "tag:yaml.org,2002:int": (r"[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$", "-+0123456789"),
    "tag:yaml.org,2002:float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$",
        "-+.0123456789",
    ),
}

# PyYAML would read a date or a number in base sixty where Kubernetes reads a text, and a text for 1e3.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag not in {*_PLAIN, "tag:yaml.org,2002:timestamp"}]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
for _tag, (_pattern, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))
