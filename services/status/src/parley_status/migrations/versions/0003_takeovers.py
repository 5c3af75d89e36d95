"""Who answers a conversation in place of the brain."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds a table: the release before this one goes on writing while it is replaced."""
    op.create_table(
        "takeovers",
        sa.Column("conversation", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("taken_by", sa.Text, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
    )
