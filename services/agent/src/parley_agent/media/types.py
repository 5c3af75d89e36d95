"""What bytes really are, held against what they are said to be. Pure.

Whoever sends a picture names its type; a model, a phone or a browser that believes it may be shown something else.
"""

from __future__ import annotations

import re

_OWN_NAMES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "audio/x-wav": "audio/wav"}
_AT_THE_START = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"\0\0\1\xba", "video/mpeg"),
)
_IN_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/avi"}
_HEIF = frozenset({b"heic", b"heix", b"heif", b"hevc", b"mif1", b"msf1"})
_BRANDS = {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"avif": "image/avif"}
_TEXTS = frozenset(
    {
        "text/plain",
        "text/vcard",
        "text/x-vcard",
        "text/directory",
        "text/calendar",
        "text/csv",
        "text/rtf",
        "text/richtext",
        "application/rtf",
        "application/vcard",
    }
)
_WHERE_DECLARED = {"image/bmp": b"BM", "application/vnd.apple.pkpass": b"PK\3\4"}
"""Marks too short or too common to tell a type by, enough to confirm one."""

_PROGRAMS = (b"MZ", b"\x7fELF", b"PK\3\4", b"\xca\xfe\xba\xbe")
_MARKUP = re.compile(rb"\s*<(?:!doctype|!--|\?xml|html|head|body|script|svg|[a-z]+[\s>])", re.IGNORECASE)
_LOOKED_AT = 1_024


def true_type(data: bytes, declared: str) -> str | None:
    """The MIME type to go by, None where the bytes are nothing that may pass as ``declared``.

    A type that shows in the bytes counts more than the one that was declared. Sounds and films have formats that
    begin with nothing of their own; those are believed unless they are text.
    """
    told = declared.partition(";")[0].strip().lower()
    told = _OWN_NAMES.get(told, told)
    if told in _WHERE_DECLARED:
        return told if data.startswith(_WHERE_DECLARED[told]) else _shown(data)
    if not data or _is_foreign(data):
        return None
    found = _shown(data)
    if found is not None:
        return told if _is_same_box(found, told) else found
    if told in _TEXTS:
        return told if _is_text(data) else None
    if told.startswith(("audio/", "video/")):
        return None if _is_text(data) else told
    return None


def _is_foreign(data: bytes) -> bool:
    head = data[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf")
    return head.startswith(_PROGRAMS) or _MARKUP.match(head) is not None


def _shown(data: bytes) -> str | None:
    for mark, content_type in _AT_THE_START:
        if data.startswith(mark):
            return content_type
    if data[:4] == b"RIFF":
        return _IN_RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        return _of_brand(data[8:12])
    return None


def _of_brand(brand: bytes) -> str:
    if brand in _HEIF:
        return "image/heic"
    return "video/3gpp" if brand.startswith(b"3g") else _BRANDS.get(brand, "video/mp4")


def _is_same_box(found: str, told: str) -> bool:
    """Whether one container holds both, so that only its maker knows: a voice note is a film without pictures."""
    boxes = (
        {"video/mp4", "audio/mp4", "video/3gpp", "audio/3gpp", "video/3gpp2", "audio/3gpp2", "video/quicktime"},
        {"video/webm", "audio/webm"},
        {"audio/ogg", "video/ogg", "audio/vorbis", "audio/opus"},
        {"image/heic", "image/heif"},
    )
    return any(found in box and told in box for box in boxes)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in data
