"""Who was told personal data, and of which asset."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "custody_reads",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("unit", sa.Text),
        sa.Column("from_region", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
    )
    op.create_index("custody_reads_by_asset", "custody_reads", ["region", "asset", "seq"])
