"""Which regions a standing query has no answer of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("warehouse_watches", sa.Column("silent", sa.JSON(), nullable=False, server_default="[]"))
