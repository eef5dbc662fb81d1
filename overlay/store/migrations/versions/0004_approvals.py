"""Delegated offices, warnings of lapsing holds, and what an order asked for before sources were found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "delegations",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("unit", sa.String(18)),
        sa.Column("region", sa.String(6)),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("delegate", sa.Text, nullable=False),
        sa.Column("from_day", sa.String(10), nullable=False),
        sa.Column("to_day", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("revoked_at", sa.String(32)),
    )
    op.create_index("delegations_by_delegate", "delegations", ["delegate", "to_day"])
    op.create_index("delegations_by_person", "delegations", ["person", "seq"])
    op.add_column("approval_steps", sa.Column("on_behalf_of", sa.Text))
    op.add_column("orders", sa.Column("warned_of", sa.String(32)))
    op.add_column("orders", sa.Column("wants", sa.JSON))
    op.add_column("order_lines", sa.Column("want", sa.Integer))
