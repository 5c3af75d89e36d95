"""What an image holds above its Python, as a CycloneDX bill of materials; ``make sbom`` runs it for each image.

The bill is made from the metadata that lie in the image, by cyclonedx-py, which asks an interpreter where packages
are. The image's own cannot run outside of it, so what is asked here only knows that one folder.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

_SPECIFICATION = "1.6"


def stand_in(packages: Path, folder: Path) -> Path:
    """Something to ask in place of an interpreter: it always says that packages are in this folder."""
    said = shlex.quote(json.dumps([str(packages.absolute())]))
    path = folder / "python"
    path.write_text(f"#!/bin/sh\necho {said}\n")
    path.chmod(0o755)
    return path


def pyproject(service: str) -> Path:
    """The pyproject of a service, which is the root of the bill."""
    return next(
        path for folder in ("services", "libs") if (path := Path(folder, service, "pyproject.toml")).exists()
    )


def main() -> None:
    """The command; run it in the project's folder."""
    parser = argparse.ArgumentParser(prog="python -m parley_dev.sbom", description=__doc__)
    parser.add_argument("service")
    parser.add_argument("packages", type=Path, help="the site-packages of the image")
    parser.add_argument("bill", type=Path, help="the file to write")
    given = parser.parse_args()
    command = Path(sys.prefix, "sbom", "bin", "cyclonedx-py")
    if not command.exists():
        sys.exit(f"{command} is missing: make sbom installs it")
    with tempfile.TemporaryDirectory() as folder:
        asked = stand_in(given.packages, Path(folder))
        root = ("--pyproject", pyproject(given.service), "--mc-type", "application")
        how = ("--sv", _SPECIFICATION, "--output-reproducible", "--of", "JSON", "-o", given.bill)
        subprocess.run((command, "environment", *root, *how, asked), check=True)  # noqa: S603 - our own words


if __name__ == "__main__":
    main()
