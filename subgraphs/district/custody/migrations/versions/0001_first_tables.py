"""The tables of the first book: holds, movements, instructions, commands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "custody_holds",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False),
        sa.Column("from_day", sa.Text, nullable=False),
        sa.Column("to_day", sa.Text, nullable=False),
        sa.Column("quantity", sa.Text, nullable=False),
        sa.Column("dispatched", sa.Text, nullable=False),
        sa.Column("received", sa.Text, nullable=False),
        sa.Column("returned", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text),
        sa.Column("status_before", sa.Text),
        sa.Column("placed_at", sa.Text, nullable=False),
    )
    op.create_index("custody_holds_by_asset", "custody_holds", ["region", "asset", "state"])
    op.create_index("custody_holds_by_state", "custody_holds", ["region", "state", "to_day"])
    op.create_table(
        "custody_movements",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("hold_id", sa.Text, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("quantity", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "custody_instructions",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("status", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_index("custody_instructions_by_state", "custody_instructions", ["region", "state", "at"])
    op.create_table(
        "custody_exports",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("instruction", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("done_at", sa.Text),
    )
    op.create_index("custody_exports_by_instruction", "custody_exports", ["region", "instruction"], unique=True)
    op.create_index("custody_exports_by_state", "custody_exports", ["region", "state"])
    op.create_table(
        "custody_write_faults",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("instruction", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
    )
    op.create_table(
        "custody_commands",
        sa.Column("region", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("hold_id", sa.Text),
        sa.Column("movement_id", sa.Text),
        sa.Column("problems", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
