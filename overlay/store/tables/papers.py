"""Notices and where they go, the audit log, attachments and prints."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from overlay.store.tables.base import Sequence, metadata

__all__ = ["attachments", "audit_log", "deliveries", "outbox", "prints", "webhooks"]

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("topic", String(48), nullable=False),
    Column("subject", String(512), nullable=False),
    Column("audience", JSON, nullable=False),
    Column("data", JSON, nullable=False),
    Column("at", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Index("outbox_by_state", "state", "seq"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("topics", JSON, nullable=False),
    Column("region", String(6)),
    Column("secret", Text),
    Column("secret_name", String(64)),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("person", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("webhook_id", String(64), ForeignKey("webhooks.id"), nullable=False),
    Column("notice_id", String(64), ForeignKey("outbox.id"), nullable=False),
    Column("subject", String(512), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", String(32), nullable=False),
    Column("lease_until", String(32)),
    Column("last_status", Integer),
    Column("last_error", String(32)),
    Column("updated_at", String(32), nullable=False),
    UniqueConstraint("webhook_id", "notice_id", name="deliveries_once"),
    Index("deliveries_by_turn", "webhook_id", "state", "next_at"),
    Index("deliveries_by_subject", "webhook_id", "subject", "state", "seq"),
    Index("deliveries_by_state", "state", "updated_at"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("person", Text),
    Column("unit", String(18)),
    Column("region", String(6)),
    Column("action", String(32), nullable=False),
    Column("subject", String(512), nullable=False),
    Column("data", JSON, nullable=False),
    Index("audit_log_by_subject", "subject", "seq"),
    Index("audit_log_by_person", "person", "seq"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(96), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("digest", String(64)),
    Column("state", String(16), nullable=False),
    Column("person", Text, nullable=False),
    Column("unit", String(18)),
    Column("region", String(6)),
    Column("at", String(32), nullable=False),
    Column("expires_at", String(32)),
    Index("attachments_by_order", "order_id", "state"),
    Index("attachments_by_digest", "digest"),
    Index("attachments_by_expiry", "state", "expires_at"),
)

prints = Table(
    "prints",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("code", String(64), nullable=False, unique=True),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("order_version", Integer, nullable=False),
    Column("summary", JSON, nullable=False),
    Column("person", Text, nullable=False),
    Column("unit", String(18)),
    Column("region", String(6)),
    Column("at", String(32), nullable=False),
    Index("prints_by_order", "order_id", "seq"),
)
