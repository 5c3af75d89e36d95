"""The directory that outlives a run: its lock, its secrets."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from parley_common.settings import SettingsError
from parley_dev.data_dir import locked, read_data_dir, read_secrets, write_api_header


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    assert read_secrets(tmp_path) == read_secrets(tmp_path)


def test_another_directory_has_other_secrets(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert read_secrets(tmp_path) != read_secrets(tmp_path / "other")


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    read_secrets(tmp_path)
    assert {path.name: mode(path) for path in tmp_path.iterdir()} == {"secrets.json": 0o600}


def test_secrets_of_an_older_release_get_the_key_they_lack_and_keep_the_others(tmp_path: Path) -> None:
    older = {"hash_key": "a" * 64, "api_key": "b" * 64, "account_sid": "AC" + "c" * 32, "auth_token": "d" * 32}
    (tmp_path / "secrets.json").write_text(json.dumps(older))
    found = read_secrets(tmp_path)
    assert {name: getattr(found, name) for name in older} == older
    assert len(found.secret_key) == 64
    assert read_secrets(tmp_path) == found
    assert mode(tmp_path / "secrets.json") == 0o600


def test_damaged_secrets_are_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"hash_key": "a"')
    with pytest.raises(SettingsError, match="is damaged"):
        read_secrets(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == '{"hash_key": "a"'


def test_the_header_file_is_what_curl_sends(tmp_path: Path) -> None:
    header = write_api_header(tmp_path, "secret")
    assert header.read_text() == "Authorization: Bearer secret\n"
    assert mode(header) == 0o600


def test_one_directory_has_one_run(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(SettingsError, match="another run uses") as refused, locked(tmp_path):
        pass
    assert "PARLEY_DATA_DIR" in str(refused.value)


def test_a_run_that_ended_leaves_no_lock(tmp_path: Path) -> None:
    with locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_data_dir_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(SettingsError, match=r"PARLEY_DATA_DIR .*file/data cannot be used"),
        locked(tmp_path / "file" / "data"),
    ):
        pass


def test_the_data_dir_does_not_move_with_the_working_directory() -> None:
    assert read_data_dir({}) == Path.cwd() / ".data"
    assert read_data_dir({"PARLEY_DATA_DIR": "/elsewhere"}) == Path("/elsewhere")
