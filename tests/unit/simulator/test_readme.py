"""The README says what the code does."""

import re
from pathlib import Path

import msgspec

import parley_simulator
from parley_simulator.control_routes import control_routes
from parley_simulator.faults import PLACES, Place, Rule

README = (Path(parley_simulator.__file__).parents[2] / "README.md").read_text()


def test_every_fault_is_listed_with_its_places() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \| ", README, re.MULTILINE))
    actual = {str(fault): set(map(str, places)) for fault, places in PLACES.items()}
    listed = {
        fault: set(map(str, Place)) if where == "all" else set(where.split(", ")) for fault, where in rows.items()
    }
    assert listed == actual


def test_every_control_route_is_listed() -> None:
    for route in control_routes():
        (method,) = {"GET", "POST", "DELETE"} & (route.methods or set())
        path = route.path.removeprefix("/_simulator/").replace("{fault_id}", "{id}")
        assert f"`{method} {path}`" in README


def test_every_field_of_a_rule_is_listed() -> None:
    (fields,) = re.findall(r"^`\{(where.*)\}`\.$", README, re.MULTILINE)
    listed = re.sub(r": \{.*?\}", "", fields).replace("?", "").split(", ")
    assert set(listed) == {field.encode_name for field in msgspec.structs.fields(Rule)}
