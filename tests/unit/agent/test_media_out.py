"""What an agent may send along: https URLs, and files that are really in its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from parley_agent.media.outgoing import Refused, check_url, read_file
from parley_common.domain.media_limits import MOST_BYTES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An agent's folder, and a secret beside it."""
    (tmp_path / "secret.png").write_bytes(b"secret")
    found = tmp_path / "agent"
    (found / "pictures").mkdir(parents=True)
    (found / "cat.png").write_bytes(b"cat")
    (found / "pictures" / "dog.png").write_bytes(b"dog")
    (found / ".env").write_text("KEY=secret")
    return found


@pytest.mark.parametrize(
    ("name", "data"), [("cat.png", b"cat"), ("pictures/dog.png", b"dog"), ("./cat.png", b"cat")]
)
def test_a_file_of_the_folder_is_read(folder: Path, name: str, data: bytes) -> None:
    assert read_file(folder / name, folder) == data


def test_a_folder_may_be_named_by_a_link(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert read_file(link / "cat.png", link) == b"cat"


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "newest.png").symlink_to(folder / "cat.png")
    assert read_file(folder / "newest.png", folder) == b"cat"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "pictures/../../secret.png",
        ".env",
        "",
        "pictures",
        "nothing.png",
        "cat.png\0",
        "/etc/passwd",
    ],
)
def test_nothing_else_is(folder: Path, name: str) -> None:
    with pytest.raises(Refused):
        read_file(folder / name, folder)


def test_no_link_leads_out_of_the_folder(folder: Path) -> None:
    (folder / "out.png").symlink_to(folder.parent / "secret.png")
    (folder / "up").symlink_to(folder.parent)
    for name in ("out.png", "up/secret.png"):
        with pytest.raises(Refused, match="outside"):
            read_file(folder / name, folder)


def test_what_is_hidden_by_a_link_stays_hidden(folder: Path) -> None:
    (folder / "env.txt").symlink_to(folder / ".env")
    with pytest.raises(Refused, match="hidden"):
        read_file(folder / "env.txt", folder)


def test_what_is_no_file_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    with pytest.raises(Refused):
        read_file(folder / "pipe.png", folder)


def test_of_a_huge_file_no_more_is_read_than_may_go_out(folder: Path) -> None:
    with (folder / "huge.png").open("wb") as file:
        file.truncate(10 * MOST_BYTES)
    with pytest.raises(Refused, match="larger"):
        read_file(folder / "huge.png", folder)


@pytest.mark.parametrize("url", ["https://cdn.example.com/a.png", "https://cdn.example.com:8443/a?b=c%20d"])
def test_an_https_url_passes(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com/a.png",
        "ftp://cdn.example.com/a.png",
        "file:///etc/passwd",
        "https://",
        "https:///a.png",
        "https://user:secret@cdn.example.com/a.png",
        "https://cdn.example.com/a b.png",
        "https://cdn.example.com/a\n.png",
        "https://cdn.example.com/é.png",
        "https://[::1/a.png",
        "https://cdn.example.com/" + "a" * 2_048,
    ],
)
def test_any_other_does_not(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url)
