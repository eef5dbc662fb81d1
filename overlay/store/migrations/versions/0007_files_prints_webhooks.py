"""Attachments of orders, prints that were handed out, and notices on their way to webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.String(96), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("unit", sa.String(18)),
        sa.Column("region", sa.String(6)),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32)),
    )
    op.create_index("attachments_by_order", "attachments", ["order_id", "state"])
    op.create_index("attachments_by_digest", "attachments", ["digest"])
    op.create_index("attachments_by_expiry", "attachments", ["state", "expires_at"])
    op.create_table(
        "prints",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("code", sa.String(64), nullable=False, unique=True),
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("order_version", sa.Integer, nullable=False),
        sa.Column("summary", sa.JSON, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("unit", sa.String(18)),
        sa.Column("region", sa.String(6)),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("prints_by_order", "prints", ["order_id", "seq"])
    op.create_table(
        "webhooks",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("topics", sa.JSON, nullable=False),
        sa.Column("region", sa.String(6)),
        sa.Column("secret", sa.Text),
        sa.Column("secret_name", sa.String(64)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("webhook_id", sa.String(64), sa.ForeignKey("webhooks.id"), nullable=False),
        sa.Column("notice_id", sa.String(64), sa.ForeignKey("outbox.id"), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.String(32), nullable=False),
        sa.Column("lease_until", sa.String(32)),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_error", sa.String(32)),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("webhook_id", "notice_id", name="deliveries_once"),
    )
    op.create_index("deliveries_by_turn", "deliveries", ["webhook_id", "state", "next_at"])
    op.create_index("deliveries_by_subject", "deliveries", ["webhook_id", "subject", "state", "seq"])
    op.create_index("deliveries_by_state", "deliveries", ["state", "updated_at"])
