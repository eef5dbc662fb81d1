"""The ledger: entries, which are only ever inserted; heads and balances beside them; anchors; reconciliations."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from overlay.store.tables.base import Sequence, metadata

__all__ = [
    "ledger_anchors",
    "ledger_balances",
    "ledger_differences",
    "ledger_entries",
    "ledger_lineages",
    "ledger_runs",
]

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("position", Sequence, primary_key=True, autoincrement=True),  # order of insertion over all lineages
    Column("id", String(64), nullable=False, unique=True),
    Column("form", Integer, nullable=False),  # which words the hash covers: see overlay.ledger.chain
    Column("lineage", String(512), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("asset_id", String(512), nullable=False),
    Column("asset_class", String(32)),
    Column("pair", String(64), nullable=False),
    Column("movement", String(16), nullable=False),
    Column("region", String(6), nullable=False),
    Column("unit", String(18)),
    Column("custody", String(16), nullable=False),
    Column("quantity", Text, nullable=False),
    Column("value", Text),
    Column("balance", Text, nullable=False),  # of the account, after this entry
    Column("balance_value", Text),
    Column("order_id", String(64)),
    Column("at", String(32), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("lineage", "sequence", name="ledger_entries_once"),
    Index("ledger_entries_by_asset", "asset_id", "sequence"),
    Index("ledger_entries_by_time", "at"),
    Index("ledger_entries_by_region", "region", "position"),
    Index("ledger_entries_by_order", "order_id"),
)

ledger_lineages = Table(
    "ledger_lineages",
    metadata,
    Column("lineage", String(512), primary_key=True),
    Column("asset_class", String(32)),  # what the card said when the lineage was opened
    Column("sequence", Integer, nullable=False),  # of the last entry
    Column("hash", String(64), nullable=False),  # of the last entry
)

ledger_balances = Table(
    "ledger_balances",
    metadata,
    Column("lineage", String(512), primary_key=True),
    Column("asset_id", String(512), primary_key=True),
    Column("region", String(6), primary_key=True),
    Column("unit", String(18), primary_key=True),  # empty: of no unit
    Column("custody", String(16), primary_key=True),
    Column("quantity", Text, nullable=False),
    Column("value", Text),
    Index("ledger_balances_by_asset", "asset_id"),
    Index("ledger_balances_by_account", "region", "unit", "custody"),
)

ledger_anchors = Table(
    "ledger_anchors",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("position", Sequence, nullable=False),  # the last entry that it covers
    Column("hash", String(64), nullable=False, unique=True),
    Column("body", Text, nullable=False),  # the signed JSON
    Column("key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
    Column("made_at", String(32), nullable=False),
    Column("exported_at", String(32)),
)

ledger_runs = Table(
    "ledger_runs",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("day", String(10), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started_at", String(32), nullable=False),
    Column("finished_at", String(32)),
    Column("figures", JSON, nullable=False),  # per region: assets, compared, matched, differences by code
    Index("ledger_runs_by_state", "state", "seq"),
)

ledger_differences = Table(
    "ledger_differences",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("run_id", String(64), ForeignKey("ledger_runs.id"), nullable=False),
    Column("region", String(6), nullable=False),
    Column("asset_id", String(512)),
    Column("code", String(24), nullable=False),
    Column("in_ledger", Text),
    Column("in_store", Text),
    Index("ledger_differences_by_run", "run_id", "region", "seq"),
)
