"""What was texted without a turn, when Twilio was asked for a part, which dead letters were replayed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_INSTANT = sa.DateTime(timezone=True)
_TO_ASK_FOR = sa.text("sid IS NOT NULL AND asked < 4 AND state IN ('sending', 'sent')")


def upgrade() -> None:
    """Adds columns only: the release before this one goes on writing while it is replaced."""
    op.add_column("messages", sa.Column("origin", sa.Text))
    op.execute("UPDATE messages SET origin = 'reply' WHERE direction = 'outbound'")
    unanswered = "direction = 'inbound' AND outcome IN ('failed', 'unreadable')"
    op.execute(f"UPDATE messages SET state = 'unanswered' WHERE {unanswered}")  # noqa: S608 - words of ours
    op.add_column("parts", sa.Column("asked", sa.Integer, nullable=False, server_default="0"))
    op.add_column("parts", sa.Column("asked_at", _INSTANT))
    op.create_index(
        "parts_to_ask_for", "parts", ["sent_at"], sqlite_where=_TO_ASK_FOR, postgresql_where=_TO_ASK_FOR
    )
    op.add_column("dead_letters", sa.Column("replayed_at", _INSTANT))
