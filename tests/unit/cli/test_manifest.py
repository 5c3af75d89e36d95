"""What a backup says about itself, and what is refused as one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from parley_cli.manifest import FORMAT, IN_ORDER, Manifest, SavedStream, read_manifest, write_manifest, written
from parley_cli.snapshots import Described
from parley_cli.words import Refused
from parley_common import topology

EMPTY = Described(config={"name": "X"}, state={"messages": 0, "first_seq": 0, "last_seq": 0})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole backup."""
    saved = []
    for stream in IN_ORDER:
        with written(tmp_path / f"{stream}.snapshot") as write:
            total = write(f"all of {stream}".encode())
        saved.append(SavedStream(name=stream, file=f"{stream}.snapshot", sha256=total, stream=EMPTY))
    taken_at = datetime(2026, 11, 21, 10, tzinfo=UTC)
    write_manifest(tmp_path, Manifest(format=FORMAT, taken_at=taken_at, streams=tuple(saved), key="k"))
    return tmp_path


def change(folder: Path, **fields: Any) -> None:
    path = folder / "backup.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_whole_backup_is_read_as_it_was_written(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert [saved.name for saved in manifest.streams] == list(IN_ORDER)
    assert manifest.named(topology.CONSENT).stream.summary.messages == 0
    assert not list(folder.glob("*.new"))


def test_every_lasting_stream_is_saved_and_what_claims_is_saved_before_what_proves() -> None:
    not_saved = {topology.LEASES, topology.MEDIA_STREAM}  # see docs/decisions/0012-media.md
    lasting = {str(config.name) for config in topology.streams(topology.Limits())} - not_saved
    assert set(IN_ORDER) == lasting
    place = {stream: number for number, stream in enumerate(IN_ORDER)}
    assert place[topology.CONTROL] < place[topology.CONVERSATIONS]
    for stream in (topology.REPORTS, topology.DEAD_LETTERS, topology.COUNTERS, topology.CONSENT):
        assert place[stream] > place[topology.CONVERSATIONS]


@pytest.mark.parametrize("stream", IN_ORDER)
def test_one_changed_byte_of_any_file_is_noticed(folder: Path, stream: str) -> None:
    path = folder / f"{stream}.snapshot"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(Refused, match=f"{stream}.snapshot is damaged"):
        read_manifest(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', "\x00\x01"])
def test_a_manifest_that_is_none_is_refused(folder: Path, content: str) -> None:
    (folder / "backup.json").write_text(content)
    with pytest.raises(Refused, match=r"backup\.json cannot be read"):
        read_manifest(folder)


def test_a_manifest_of_another_format_is_refused(folder: Path) -> None:
    change(folder, format=FORMAT + 1, streams="elsewhere")
    with pytest.raises(Refused, match=f"this release reads {FORMAT}"):
        read_manifest(folder)


def test_a_manifest_without_a_stream_is_refused(folder: Path) -> None:
    streams = json.loads((folder / "backup.json").read_text())["streams"]
    change(folder, streams=[saved for saved in streams if saved["name"] != topology.CONSENT])
    with pytest.raises(Refused, match="does not name CONSENT"):
        read_manifest(folder)


def test_a_manifest_reads_no_file_outside_its_folder(folder: Path) -> None:
    streams = json.loads((folder / "backup.json").read_text())["streams"]
    streams[0]["file"] = "../../etc/passwd"
    change(folder, streams=streams)
    with pytest.raises(Refused, match="passwd is missing"):
        read_manifest(folder)


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("before")
    with pytest.raises(Refused, match="File exists"), written(tmp_path / "there"):
        pass
    assert (tmp_path / "there").read_text() == "before"
