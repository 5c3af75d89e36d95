"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes them."""
    _create_messages()
    _create_parts()
    _create_reports()
    _create_conversations()
    _create_dead_letters()


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("our_address", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("media", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("turn", sa.BigInteger),
        sa.Column("outcome", sa.Text),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("failure_code", sa.Integer),
        sa.Column("failure_reason", sa.Text),
    )
    op.create_index("messages_in_order", "messages", ["conversation", "sequence", "position"])
    op.create_table(
        "turns",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("upto", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
    )
    op.create_index("turns_of_conversation", "turns", ["conversation", "upto"])


def _create_parts() -> None:
    op.create_table(
        "parts",
        sa.Column("part_id", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("message", sa.Integer, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("of", sa.Integer, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("phase_sequence", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("sender", sa.Text),
        sa.Column("body", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("attempted_at", _INSTANT),
        sa.Column("sid", sa.Text),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("sent_at", _INSTANT),
        sa.Column("first_status", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("failure_code", sa.Integer),
        sa.Column("failure_reason", sa.Text),
        sa.Column("failed_at", _INSTANT),
        sa.Column("status", sa.Text),
        sa.Column("status_at", _INSTANT),
        sa.Column("error_code", sa.Integer),
        sa.Column("conflict", sa.Text),
    )
    op.create_index("parts_of_message", "parts", ["message_id"])
    op.create_index("parts_by_sid", "parts", ["sid"])


def _create_reports() -> None:
    op.create_table(
        "delivery_reports",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("sid", sa.Text, nullable=False),
        sa.Column("part_id", sa.Text),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("error_code", sa.Integer),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("carrier_done_at", sa.Text),
    )
    op.create_index("reports_by_sid", "delivery_reports", ["sid"])
    op.create_index("reports_by_part", "delivery_reports", ["part_id"])


def _create_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("last_activity", _INSTANT, nullable=False),
        sa.Column("opted_out", sa.Boolean, nullable=False),
        sa.Column("consent_at", _INSTANT),
        sa.Column("consent_event", sa.Text, nullable=False),
    )
    op.create_index("conversations_by_activity", "conversations", ["last_activity", "id"])
    op.create_index("conversations_of_contact", "conversations", ["contact", "last_activity", "id"])
    op.create_table(
        "consent",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("contact", sa.Text, primary_key=True),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("granted", sa.Boolean, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
    )


def _create_dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
    )
