"""On which line of a TOML document each key stands."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_brains.checking.lines import Key, find_lines, line_of

DOCUMENT = '''# a comment with [brackets] and = signs
a = 1
"b c".d = """x
 # [no] \\""" y""""  # two quotes at the end, one of them in the text
[t.u]
v = ["a", # c ]
  {w = 1, x.y = 'q}'},

  [1, 2],
]
[[arr]]
n = 2026-11-21T10:00:00Z
[arr.sub]
k = true
[[arr]]
n = \'\'\'
it's''\'\'\'
[[arr.deep]]
z = 1.5e3
[ t . "q.r" ]
m = { }
[t]
late = """"""
'''
LINES: dict[Key, int] = {
    ("a",): 2,
    ("b c",): 3,
    ("b c", "d"): 3,
    ("t",): 22,
    ("t", "u"): 5,
    ("t", "u", "v"): 6,
    ("t", "u", "v", 0): 6,
    ("t", "u", "v", 1): 7,
    ("t", "u", "v", 1, "w"): 7,
    ("t", "u", "v", 1, "x"): 7,
    ("t", "u", "v", 1, "x", "y"): 7,
    ("t", "u", "v", 2): 9,
    ("t", "u", "v", 2, 0): 9,
    ("t", "u", "v", 2, 1): 9,
    ("arr",): 11,
    ("arr", 0): 11,
    ("arr", 0, "n"): 12,
    ("arr", 0, "sub"): 13,
    ("arr", 0, "sub", "k"): 14,
    ("arr", 1): 15,
    ("arr", 1, "n"): 16,
    ("arr", 1, "deep"): 18,
    ("arr", 1, "deep", 0): 18,
    ("arr", 1, "deep", 0, "z"): 19,
    ("t", "q.r"): 20,
    ("t", "q.r", "m"): 21,
    ("t", "late"): 23,
}


def keys(value: object, path: Key = ()) -> Iterator[Key]:
    """All keys of a document as ``tomllib`` reads it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        yield (*path, step)
        yield from keys(one, (*path, step))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_way_of_writing_a_key_is_found_on_its_line(newline: str) -> None:
    document = DOCUMENT.replace("\n", newline)
    assert set(LINES) == set(keys(tomllib.loads(document)))
    assert find_lines(document) == LINES


def test_a_key_that_is_not_there_is_told_of_at_the_table_around_it() -> None:
    lines = find_lines(DOCUMENT)
    assert line_of(lines, ("t", "u", "missing", "too")) == 5
    assert line_of(lines, ("missing",)) == 1
    assert line_of({}, ()) == 1


_names = st.sampled_from(["a", "b", "c d", "é", 'q"t', "x.y"])
_texts = st.text(st.sampled_from("ab \"'\\\n#[]{}=,."), max_size=8)
_values = st.recursive(
    _texts | st.integers(-9, 9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=8,
)


def literal(value: object, style: int) -> str:
    """A value as TOML; its texts in one of several ways."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value, style)
        case list():
            separator = ", " if style % 2 else ",\n  # ]\n  "
            return f"[{separator.join(literal(one, style) for one in value)}]"
        case dict():
            return "{" + ", ".join(f"{quoted(name, 0)} = {literal(one, 0)}" for name, one in value.items()) + "}"
    return str(value)


def quoted(text: str, style: int) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if style == 2:
        return f'"""\n{escaped}"""'
    if style == 3 and "'" not in text and "\n" not in text:
        return f"'{text}'"
    return '"' + escaped.replace("\n", "\\n") + '"'


@given(
    st.lists(
        st.tuples(st.lists(_names, min_size=1, max_size=2), st.dictionaries(_names, _values, max_size=3)),
        max_size=4,
    ),
    st.integers(0, 3),
)
def test_the_keys_that_are_found_are_those_that_are_read(
    tables: list[tuple[list[str], dict[str, object]]], style: int
) -> None:
    document: str = ""
    expected: dict[Key, int] = {}
    for number, (names, pairs) in enumerate(tables):
        path = (f"t{number}", *names)
        document += f"[{' . '.join(quoted(name, 3) for name in path)}] # '''\n"
        for name, value in pairs.items():
            expected[(*path, name)] = document.count("\n") + 1
            document += f"{quoted(name, 0)} = {literal(value, style)}\n"
    found = find_lines(document)
    assert set(found) == set(keys(tomllib.loads(document)))
    assert {key: found[key] for key in expected} == expected
