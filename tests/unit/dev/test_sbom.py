"""What stands between the maker of a bill of materials and an interpreter that cannot run here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from parley_dev.locks import IMAGES
from parley_dev.sbom import pyproject, stand_in

ROOT = Path(__file__).parents[3]


def test_whoever_asks_it_for_its_path_is_told_the_folder_of_the_image(tmp_path: Path) -> None:
    packages = tmp_path / "it's here" / "site-packages"
    asked = stand_in(packages, tmp_path)
    said = subprocess.run((asked, "-c", "import json,sys"), capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == [str(packages)]


@pytest.mark.parametrize("service", IMAGES)
def test_the_root_of_a_bill_is_the_service(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert f'name = "parley-{service}"' in pyproject(service).read_text()
