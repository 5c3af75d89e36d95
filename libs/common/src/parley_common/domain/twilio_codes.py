"""The error codes that Twilio gives texts and Parley knows, as a bounded set of labels. Pure.

What follows from a code is decided where texts are sent; here it only has a name.
"""

from __future__ import annotations

KNOWN = frozenset(
    (
        11751, 14107, 14109, 20003, 20005, 20404, 20429, 21211, 21212, 21265, 21266, 21267, 21408, 21601,
        21602, 21603, 21604, 21606, 21608, 21609, 21610, 21611, 21612, 21614, 21617, 21619, 21620, 21623,
        21624, 21635, 21654, 21655, 21656, 21659, 21660, 21661, 21701, 21703, 21704, 30001, 30002, 30003,
        30004, 30005, 30006, 30007, 30008, 30011, 30017, 30018, 30019, 30022, 30023, 30024, 30027, 30032,
        30033, 30034, 30035, 30036, 30037, 30040, 30041, 30042, 30044, 30410, 30450, 30453, 30454, 30485,
        30500, 30610, 63001, 63002, 63003, 63005, 63006, 63007, 63008, 63009, 63010, 63012, 63013, 63015,
        63016, 63017, 63018, 63019, 63020, 63021, 63024, 63026, 63027, 63028, 63030, 63032, 63033, 63038,
        63040, 63041, 63042, 63049, 63051,
    )
)  # fmt: skip

OTHER = "other"
NO_CODE = "none"


def label(code: int | None) -> str:
    """The code as a label: ``other`` for one that Parley does not know, ``none`` where Twilio gave none."""
    if code is None:
        return NO_CODE
    return str(code) if code in KNOWN else OTHER


LABELS = (*map(str, sorted(KNOWN)), OTHER)
"""All that ``label`` returns for a code."""
