"""What of an HTML answer is not for reading, and how it is indented, before the Markdown parser sees it.

Scripts, style sheets, heads and comments go. In a document that is HTML from its first tag on, indentation is a
matter of taste; Markdown would take it for code. What stands in code is left as it is. This module knows no tags
of inline text.
"""

from __future__ import annotations

import re

_UNSEEN_OR_CODE = re.compile(
    r"(?P<code>^[ >]*(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^[ >]*(?P=fence)[^\n]*$|\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|<!--.*?-->|<(?P<name>script|style|head|template)(?:\s[^<>]*)?>.*?</(?P=name)\s*>",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_UNSEEN = re.compile(r"-->|</(?:script|style|head|template)\s*>", re.IGNORECASE)
_DOCUMENT = re.compile(
    r"\s*<(?:!doctype|html|body|div|p|h[1-6]|ul|ol|table|section|article|main)\b[^<>]*>", re.IGNORECASE
)
_PREFORMATTED = re.compile(r"(?i)<pre\b|^ *(?:`{3}|~{3})", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


def readable_source(markdown: str) -> str:
    """The source without what is not for reading."""
    if "<" not in markdown:
        return markdown
    if _UNSEEN.search(markdown):
        markdown = _UNSEEN_OR_CODE.sub(lambda found: found["code"] or "", markdown)
    if _DOCUMENT.match(markdown) and not _PREFORMATTED.search(markdown):
        return _INDENT.sub("", markdown)
    return markdown
