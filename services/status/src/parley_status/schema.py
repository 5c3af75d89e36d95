"""The tables as this release reads and writes them. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite, which knows no time zones, keeps it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Into the database."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Out of the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text that people wrote. PostgreSQL takes no NUL, which a text may hold."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Into the database."""
        return value.replace("\0", "\ufffd") if value and "\0" in value else value


metadata = MetaData()

TO_ASK_FOR = text("sid IS NOT NULL AND asked < 4 AND state IN ('sending', 'sent')")
"""Which parts Twilio may be asked for. In words without parameters: so a query shows that it fits the index."""

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("conversation", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("our_address", Text, nullable=False),
    Column("body", Words, nullable=False),
    Column("media", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("turn", BigInteger),
    Column("outcome", Text),
    Column("origin", Text),
    Column("segments", Integer, nullable=False),
    Column("failure", Text),
    Column("failure_code", Integer),
    Column("failure_reason", Words),
    Index("messages_in_order", "conversation", "sequence", "position"),
)

turns = Table(
    "turns",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("conversation", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("upto", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("turns_of_conversation", "conversation", "upto"),
)

parts = Table(
    "parts",
    metadata,
    Column("part_id", Text, primary_key=True),
    Column("message_id", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("turn", BigInteger, nullable=False),
    Column("message", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("of", Integer, nullable=False),
    Column("phase", Text, nullable=False),
    Column("phase_sequence", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("sender", Text),
    Column("body", Words),
    Column("attempts", Integer, nullable=False),
    Column("attempted_at", Instant),
    Column("sid", Text),
    Column("segments", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("first_status", Text),
    Column("failure", Text),
    Column("failure_code", Integer),
    Column("failure_reason", Words),
    Column("failed_at", Instant),
    Column("status", Text),
    Column("status_at", Instant),
    Column("error_code", Integer),
    Column("conflict", Text),
    Column("asked", Integer, nullable=False, server_default="0"),
    Column("asked_at", Instant),
    Index("parts_of_message", "message_id"),
    Index("parts_by_sid", "sid"),
    Index("parts_to_ask_for", "sent_at", sqlite_where=TO_ASK_FOR, postgresql_where=TO_ASK_FOR),
)

delivery_reports = Table(
    "delivery_reports",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("sid", Text, nullable=False),
    Column("part_id", Text),
    Column("conversation", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("error_code", Integer),
    Column("at", Instant, nullable=False),
    Column("carrier_done_at", Text),
    Index("reports_by_sid", "sid"),
    Index("reports_by_part", "part_id"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("last_activity", Instant, nullable=False),
    Column("opted_out", Boolean, nullable=False),
    Column("consent_at", Instant),
    Column("consent_event", Text, nullable=False),
    Index("conversations_by_activity", "last_activity", "id"),
    Index("conversations_of_contact", "contact", "last_activity", "id"),
)

takeovers = Table(
    "takeovers",
    metadata,
    Column("conversation", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("taken_by", Words, nullable=False),
    Column("until", Instant),
)

consent = Table(
    "consent",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("contact", Text, primary_key=True),
    Column("conversation", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("cause", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("event_id", Text, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Column("replayed_at", Instant),
)
