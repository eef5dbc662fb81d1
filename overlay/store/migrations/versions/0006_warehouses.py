"""Virtual warehouses that change: versions, history, and what standing queries have seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("updated_at", sa.String(32)),
        sa.Column("retired_at", sa.String(32)),
        sa.Column("notify", sa.Boolean, nullable=False, server_default=sa.false()),
    ):
        op.add_column("virtual_warehouses", column)
    op.create_table(
        "warehouse_changes",
        sa.Column("warehouse_id", sa.String(128), sa.ForeignKey("virtual_warehouses.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("rule", sa.JSON, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("unit", sa.String(18)),
        sa.Column("region", sa.String(6)),
    )
    op.execute(
        "INSERT INTO warehouse_changes (warehouse_id, version, at, change, name, scope, rule, person, unit, region) "
        "SELECT id, 1, created_at, 'CREATED', name, scope, rule, owner_person, owner_unit, owner_region "
        "FROM virtual_warehouses"
    )
    op.create_table(
        "warehouse_watches",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("warehouse_id", sa.String(128), sa.ForeignKey("virtual_warehouses.id"), nullable=False),
        sa.Column("from_day", sa.String(10)),
        sa.Column("to_day", sa.String(10)),
        sa.Column("sight", sa.JSON, nullable=False),
        sa.Column("rule_hash", sa.String(64)),
        sa.Column("regions", sa.JSON, nullable=False),
        sa.Column("epoch", sa.String(16), nullable=False),
        sa.Column("floor_seq", sa.BigInteger, nullable=False),
        sa.Column("wanted_until", sa.String(32), nullable=False),
        sa.Column("due_at", sa.String(32), nullable=False),
        sa.Column("lease", sa.String(64)),
        sa.Column("lease_until", sa.String(32)),
        sa.Column("evaluated_at", sa.String(32)),
        sa.Column("fault", sa.String(48)),
    )
    op.create_index("warehouse_watches_by_due", "warehouse_watches", ["wanted_until", "due_at"])
    op.create_table(
        "watched_assets",
        sa.Column("watch_id", sa.String(64), sa.ForeignKey("warehouse_watches.id"), primary_key=True),
        sa.Column("asset_id", sa.String(512), primary_key=True),
    )
    op.create_table(
        "warehouse_matches",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("watch_id", sa.String(64), sa.ForeignKey("warehouse_watches.id"), nullable=False),
        sa.Column("asset_id", sa.String(512), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("warehouse_matches_by_watch", "warehouse_matches", ["watch_id", "seq"])
