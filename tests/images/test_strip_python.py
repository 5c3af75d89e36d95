"""What is taken out of an image, tried on folders that look like one."""

from __future__ import annotations

import importlib.util
import stat
from pathlib import Path
from types import ModuleType

import pytest

from images.podman import ROOT


@pytest.fixture(scope="module")
def strip() -> ModuleType:
    """The script, which no package holds."""
    spec = importlib.util.spec_from_file_location("strip_python", ROOT / "deploy" / "docker" / "strip_python.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return folder


def test_installers_go_with_their_metadata_and_packages_of_like_names_stay(
    strip: ModuleType, tmp_path: Path
) -> None:
    make(
        tmp_path,
        "pip/main.py",
        "pip-26.1.dist-info/METADATA",
        "pipeline/main.py",
        "pip_audit-2.dist-info/METADATA",
    )
    make(tmp_path, "wheel-1.0.egg-info/PKG-INFO", "setuptools/x.py", "starlette/x.py")
    doomed = {path.name for path in strip.installers(tmp_path)}
    assert doomed == {"pip", "pip-26.1.dist-info", "wheel-1.0.egg-info", "setuptools"}


def test_commands_of_installers_go_and_others_stay(strip: ModuleType, tmp_path: Path) -> None:
    make(tmp_path, "pip", "pip3", "pip3.13", "wheel", "idle3.13", "python3", "pipewire", "wheelhouse", "tar")
    assert {path.name for path in strip.commands(tmp_path)} == {"pip", "pip3", "pip3.13", "wheel", "idle3.13"}


def test_files_with_the_rights_of_others_are_found_and_links_left_alone(strip: ModuleType, tmp_path: Path) -> None:
    make(tmp_path, "usr/bin/su", "usr/bin/wall", "usr/bin/tar", "proc/su")
    for name, bit in (("usr/bin/su", stat.S_ISUID), ("usr/bin/wall", stat.S_ISGID), ("proc/su", stat.S_ISUID)):
        (tmp_path / name).chmod(0o755 | bit)
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "usr/bin/link").symlink_to("su")
    assert {path.name for path in strip.with_others_rights(tmp_path)} == {"su", "wall"}


def test_a_folder_a_file_and_a_link_can_be_removed_and_what_a_link_names_stays(
    strip: ModuleType, tmp_path: Path
) -> None:
    make(tmp_path, "kept/file", "folder/deep/file", "file")
    (tmp_path / "link").symlink_to("kept")
    for name in ("folder", "file", "link"):
        strip.remove(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
    assert (tmp_path / "kept" / "file").exists()
