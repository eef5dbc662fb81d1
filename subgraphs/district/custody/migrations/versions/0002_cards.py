"""Successor cards, what left for good, and the days between holds. A hold of before has no such days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("custody_holds", sa.Column("gone", sa.Text, nullable=False, server_default="0"))
    op.add_column("custody_holds", sa.Column("buffer_days", sa.Integer, nullable=False, server_default="0"))
    op.add_column("custody_holds", sa.Column("until_day", sa.Text))
    op.execute("UPDATE custody_holds SET until_day = to_day")
    op.drop_index("custody_holds_by_state", "custody_holds")
    with op.batch_alter_table("custody_holds") as holds:
        holds.alter_column("until_day", nullable=False)
    op.create_index("custody_holds_by_state", "custody_holds", ["region", "state", "until_day"])
    op.create_table(
        "custody_cards",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("lineage", sa.Text, nullable=False),
        sa.Column("predecessor", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("entered_as", sa.Text),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_index("custody_cards_by_entry", "custody_cards", ["region", "entered_as"], unique=True)
    op.create_table(
        "custody_departures",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("left_over", sa.Text, nullable=False),
        sa.Column("successor", sa.Text),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_index("custody_departures_by_asset", "custody_departures", ["region", "asset"])
    op.create_table(
        "custody_card_changes",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
