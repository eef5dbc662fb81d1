"""Virtual warehouses, their history, and standing queries."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false

from overlay.store.tables.base import Sequence, metadata

__all__ = ["virtual_warehouses", "warehouse_changes", "warehouse_matches", "warehouse_watches", "watched_assets"]

virtual_warehouses = Table(
    "virtual_warehouses",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(128), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text),
    Column("description", Text),
    Column("description_en", Text),
    Column("scope", String(16), nullable=False),
    Column("owner_region", String(6)),
    Column("owner_unit", String(18)),
    Column("owner_person", Text),
    Column("rule", JSON, nullable=False),
    Column("built_in", Boolean, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("updated_at", String(32)),
    Column("retired_at", String(32)),
    Column("notify", Boolean, nullable=False, server_default=false()),
)

warehouse_changes = Table(
    "warehouse_changes",
    metadata,
    Column("warehouse_id", String(128), ForeignKey("virtual_warehouses.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("change", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("scope", String(16), nullable=False),
    Column("rule", JSON, nullable=False),
    Column("person", Text),
    Column("unit", String(18)),
    Column("region", String(6)),
)

warehouse_watches = Table(
    "warehouse_watches",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("warehouse_id", String(128), ForeignKey("virtual_warehouses.id"), nullable=False),
    Column("from_day", String(10)),
    Column("to_day", String(10)),
    Column("sight", JSON, nullable=False),
    Column("rule_hash", String(64)),
    Column("regions", JSON, nullable=False),
    Column("epoch", String(16), nullable=False),
    Column("floor_seq", BigInteger, nullable=False),
    Column("wanted_until", String(32), nullable=False),
    Column("due_at", String(32), nullable=False),
    Column("lease", String(64)),
    Column("lease_until", String(32)),
    Column("evaluated_at", String(32)),
    Column("fault", String(48)),
    Column("silent", JSON, nullable=False, server_default="[]"),
    Index("warehouse_watches_by_due", "wanted_until", "due_at"),
)

watched_assets = Table(
    "watched_assets",
    metadata,
    Column("watch_id", String(64), ForeignKey("warehouse_watches.id"), primary_key=True),
    Column("asset_id", String(512), primary_key=True),
)

warehouse_matches = Table(
    "warehouse_matches",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("watch_id", String(64), ForeignKey("warehouse_watches.id"), nullable=False),
    Column("asset_id", String(512), nullable=False),
    Column("at", String(32), nullable=False),
    Index("warehouse_matches_by_watch", "watch_id", "seq"),
    sqlite_autoincrement=True,
)
