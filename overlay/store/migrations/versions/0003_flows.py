"""All flows: what a line was asked for, granted and cost; extensions, compensations, public notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for column in (
        sa.Column("accepts_partial", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("notice_until", sa.String(10)),
        sa.Column("overdue_stage", sa.Integer, nullable=False, server_default="0"),
        sa.Column("details", sa.JSON, nullable=False, server_default="{}"),
    ):
        op.add_column("orders", column)
    for column in (
        sa.Column("lineage", sa.String(512)),
        sa.Column("asked", sa.Text, nullable=False, server_default="0"),
        sa.Column("refusal", sa.String(32)),
        sa.Column("accepts_partial", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("arrived", sa.Text, nullable=False, server_default="0"),
        sa.Column("due_day", sa.String(10)),
        sa.Column("estimate", sa.Text),
        sa.Column("cost", sa.Text),
        sa.Column("appraisal", sa.Text),
        sa.Column("quota", sa.String(16)),
        sa.Column("successors", sa.JSON, nullable=False, server_default="[]"),
    ):
        op.add_column("order_lines", column)
    op.execute("UPDATE order_lines SET asked = quantity")
    op.create_index("order_lines_by_source", "order_lines", ["loan_line_id"])
    op.add_column("approval_steps", sa.Column("extension", sa.Integer))
    op.create_table(
        "extensions",
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("to_day", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("decided_at", sa.String(32)),
    )
    op.create_table(
        "compensations",
        sa.Column("line_id", sa.String(64), sa.ForeignKey("order_lines.id"), primary_key=True),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("amount", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.Text),
        sa.Column("agreed_by", sa.Text),
        sa.Column("agreed_unit", sa.String(18)),
        sa.Column("agreed_region", sa.String(6)),
        sa.Column("agreed_at", sa.String(32)),
        sa.Column("settled_by", sa.Text),
        sa.Column("settled_at", sa.String(32)),
        sa.Column("reference", sa.Text),
    )
    op.create_index("compensations_by_order", "compensations", ["order_id"])
