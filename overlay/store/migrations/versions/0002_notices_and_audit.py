"""What is to be told to others, and the log of changes and of reads of personal data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("topic", sa.String(48), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("audience", sa.JSON, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
    )
    op.create_index("outbox_by_state", "outbox", ["state", "seq"])
    op.create_table(
        "audit_log",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("unit", sa.String(18)),
        sa.Column("region", sa.String(6)),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(512), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_index("audit_log_by_subject", "audit_log", ["subject", "seq"])
    op.create_index("audit_log_by_person", "audit_log", ["person", "seq"])
