"""What bytes are taken for, whatever they are said to be."""

from __future__ import annotations

import pytest

from parley_agent.media.types import true_type

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x80" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
MP4 = b"\0\0\0\x20ftypisom" + b"\0" * 20
VCARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Some Body\r\nEND:VCARD\r\n"


@pytest.mark.parametrize(
    ("data", "declared", "expected"),
    [
        (JPEG, "image/jpeg", "image/jpeg"),
        (JPEG, "image/jpg", "image/jpeg"),
        (JPEG, "IMAGE/JPEG; charset=binary", "image/jpeg"),
        (PNG, "image/jpeg", "image/png"),
        (PNG, "application/octet-stream", "image/png"),
        (PNG, "", "image/png"),
        (b"GIF89a" + b"\0" * 9, "image/gif", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/x-wav", "audio/wav"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic", "image/heic"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heif", "image/heif"),
        (MP4, "video/mp4", "video/mp4"),
        (MP4, "audio/mp4", "audio/mp4"),
        (MP4, "image/jpeg", "video/mp4"),
        (b"\0\0\0\x18ftyp3gp5\0\0\0\0", "video/3gpp", "video/3gpp"),
        (b"#!AMR\n\x3c", "audio/amr", "audio/amr"),
        (b"OggS\0\2", "audio/ogg", "audio/ogg"),
        (b"ID3\4\0\0", "audio/mpeg", "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + b"\x80" * 20, "audio/mpeg", "audio/mpeg"),
        (b"%PDF-1.7\n", "application/pdf", "application/pdf"),
        (b"BM\x80\x80\0\0", "image/bmp", "image/bmp"),
        (PNG, "image/bmp", "image/png"),
        (b"PK\3\4\x14\0", "application/vnd.apple.pkpass", "application/vnd.apple.pkpass"),
        (VCARD, "text/x-vcard", "text/x-vcard"),
        (VCARD, "text/vcard", "text/vcard"),
        ("größer\n".encode(), "text/plain", "text/plain"),
    ],
)
def test_what_is_in_the_bytes_is_what_counts(data: bytes, declared: str, expected: str) -> None:
    assert true_type(data, declared) == expected


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        pytest.param(b"", "image/png", id="nothing"),
        pytest.param(b"<html><body>404</body></html>", "image/png", id="a page as a picture"),
        pytest.param(b"\xef\xbb\xbf  \n<!DOCTYPE html>", "text/plain", id="a page as a text"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", id="a picture with scripts"),
        pytest.param(b"<?xml version='1.0'?><Error/>", "video/mp4", id="an error as a film"),
        pytest.param(b"<Error><Code>AccessDenied</Code></Error>", "image/jpeg", id="an error as a picture"),
        pytest.param(b"not a picture at all", "image/jpeg", id="a text as a picture"),
        pytest.param(b"{}", "audio/amr", id="a text as a sound"),
        pytest.param(b"MZ\x90\0", "video/mp4", id="a program as a film"),
        pytest.param(b"\x7fELF\2", "audio/mpeg", id="another program"),
        pytest.param(b"PK\3\4\x14\0", "application/zip", id="an archive"),
        pytest.param(b"<html>", "image/bmp", id="a page as a picture of few marks"),
        pytest.param(b"\x80\x81\x82", "text/plain", id="bytes as a text"),
        pytest.param(b"a\0b", "text/vcard", id="a text with a zero"),
        pytest.param(b"\x80\x81\x82", "application/octet-stream", id="anything"),
        pytest.param(b"alert(1)", "text/javascript", id="a script"),
        pytest.param(b"alert(1)", "text/html", id="a page by name"),
        pytest.param(b"RIFF\0\0\0\0XXXX", "image/webp", id="a box of nothing known"),
    ],
)
def test_what_is_nothing_of_its_kind_is_refused(data: bytes, declared: str) -> None:
    assert true_type(data, declared) is None
