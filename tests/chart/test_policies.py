"""Checkov finds nothing in what is rendered but what is as it is for a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.cases import CASES, SHIPPED
from harness.helm import render

CHECKOV = Path(sys.prefix) / "checkov/bin/checkov"

SKIPPED = {
    "CKV_K8S_11": "no limit on processors: a throttled service answers Twilio late; requests share a node fairly",
    "CKV_K8S_15": "IfNotPresent: a tag or digest of a release never changes, and a node without a registry starts",
    "CKV_K8S_21": "the namespace is the release's; whoever installs into default asked for it",
    "CKV_K8S_35": "secrets are variables: they are read once, and the volumes' way would need a file for each",
    "CKV_K8S_43": "digests are values: image.digests pins them, and a chart cannot know those of a build to come",
}

# Of one object.
EXCEPTIONS = {
    ("CKV_K8S_8", "r-parley-cli"): "the toolbox answers nobody: its first process waits for SIGTERM",
    ("CKV_K8S_9", "r-parley-cli"): "as above",
    ("CKV_K8S_8", "r-parley-test"): "the test ends by itself within its deadline",
    ("CKV_K8S_9", "r-parley-test"): "as above",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Checkov's report on what the values files render that differ most."""
    folder = tmp_path_factory.mktemp("rendered")
    for case in {*SHIPPED, "everything", "existing-secrets", "nats-external", "hpa"} & CASES.keys():
        (folder / f"{case}.yaml").write_text(yaml.safe_dump_all(render(*CASES[case])))
    return _checkov(folder)


def test_checkov_finds_nothing_that_is_not_meant(report: dict[str, Any]) -> None:
    assert report["summary"]["passed"] > 100
    assert report["summary"]["parsing_errors"] == 0
    found = {(one["check_id"], one["resource"].rpartition(".")[2], one["check_name"]) for one in _failed(report)}
    assert sorted(one for one in found if one[0] not in SKIPPED and one[:2] not in EXCEPTIONS) == []


def test_each_skip_is_still_needed(report: dict[str, Any]) -> None:
    assert {one["check_id"] for one in _failed(report)} >= SKIPPED.keys() | {check for check, _ in EXCEPTIONS}


def _failed(report: dict[str, Any]) -> list[dict[str, str]]:
    return report["results"]["failed_checks"]  # type: ignore[no-any-return]


def _checkov(folder: Path) -> dict[str, Any]:
    if not CHECKOV.exists():
        assert not os.environ.get("PARLEY_REQUIRE_CHECKOV"), f"no checkov at {CHECKOV}: run make install-checkov"
        pytest.skip(f"no checkov at {CHECKOV}: run make test-chart")
    options = "--framework kubernetes --skip-download --compact --quiet --soft-fail --output json"
    ended = subprocess.run(
        [CHECKOV, "--directory", folder, *options.split()],
        capture_output=True,
        text=True,
        env={"PATH": os.defpath, "HOME": str(folder)},
        timeout=110,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)  # type: ignore[no-any-return]
