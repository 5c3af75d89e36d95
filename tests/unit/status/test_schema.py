"""The tables hold what the rules keep."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Table

from parley_status import schema
from parley_status.conversations import Consent, Conversation
from parley_status.letters import Letter
from parley_status.messages import Message, Turn
from parley_status.parts import Part, Report
from parley_status.takeovers import Takeover


@pytest.mark.parametrize(
    ("table", "struct"),
    [
        (schema.messages, Message),
        (schema.turns, Turn),
        (schema.parts, Part),
        (schema.delivery_reports, Report),
        (schema.conversations, Conversation),
        (schema.consent, Consent),
        (schema.dead_letters, Letter),
        (schema.takeovers, Takeover),
    ],
    ids=lambda value: value.name if isinstance(value, Table) else "",
)
def test_a_struct_has_the_columns_of_its_table(table: Table, struct: type[msgspec.Struct]) -> None:
    assert set(struct.__struct_fields__) == {column.name for column in table.columns}


def test_every_table_is_covered() -> None:
    assert len(schema.metadata.tables) == 8
