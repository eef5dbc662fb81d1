"""Temporary bodies under their host units, and the orders that are theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "temporary_bodies",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("unit", sa.String(18), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("end_day", sa.String(10), nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
    )
    op.create_index("temporary_bodies_by_unit", "temporary_bodies", ["unit", "seq"])
    op.create_index("temporary_bodies_by_end", "temporary_bodies", ["settled", "end_day"])
    op.add_column("orders", sa.Column("body_id", sa.String(64)))
    op.create_index("orders_by_body", "orders", ["body_id"])
