"""The values under which the chart is judged: the files beside it, and combinations of tests/chart/values."""

from __future__ import annotations

from pathlib import Path

from harness.helm import CHART

VALUES = Path(__file__).parent / "values"
MINIMAL = VALUES / "minimal.yaml"
PASSWORDS = Path(__file__).parent / "passwords.yaml"

# Complete by themselves; all others are laid over the minimal ones.
_COMPLETE = ("minimal", "existing-secrets")

SHIPPED: dict[str, tuple[Path, ...]] = {
    "demo": (CHART / "values-demo.yaml",),
    "production": (CHART / "values-production.yaml",),
    "ha": (CHART / "values-production.yaml", CHART / "values-ha.yaml"),
}
"""What people begin with, as its own comments say that it is installed."""


def _own(path: Path) -> tuple[Path, ...]:
    return (path,) if path.stem in _COMPLETE else (MINIMAL, path)


CASES: dict[str, tuple[Path, ...]] = {
    name: (PASSWORDS, *files)
    for name, files in (SHIPPED | {path.stem: _own(path) for path in sorted(VALUES.glob("*.yaml"))}).items()
}
"""By name; each is a tuple of files, later ones over earlier ones."""
