"""The overlay's tables, in one place; `migrations` bring a store to them, and a test keeps the two equal.

Numbers with decimals and instants are kept as text in the one spelling that `contract.decimals` and `overlay.clock`
give, so that SQLite and PostgreSQL hold the same and nothing is rounded. Ledger entries are only ever inserted.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

__all__ = [
    "approval_steps",
    "attachments",
    "audit_log",
    "commands",
    "compensations",
    "delegations",
    "deliveries",
    "extensions",
    "ledger_anchors",
    "ledger_balances",
    "ledger_differences",
    "ledger_entries",
    "ledger_lineages",
    "ledger_runs",
    "metadata",
    "order_lines",
    "orders",
    "outbox",
    "prints",
    "steps",
    "timeline",
    "virtual_warehouses",
    "warehouse_changes",
    "warehouse_matches",
    "warehouse_watches",
    "watched_assets",
    "webhooks",
]

metadata = MetaData()
_Sequence = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the key is spelled INTEGER."""

virtual_warehouses = Table(
    "virtual_warehouses",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
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
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("watch_id", String(64), ForeignKey("warehouse_watches.id"), nullable=False),
    Column("asset_id", String(512), nullable=False),
    Column("at", String(32), nullable=False),
    Index("warehouse_matches_by_watch", "watch_id", "seq"),
    sqlite_autoincrement=True,
)

orders = Table(
    "orders",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("flow", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("listed", Boolean, nullable=False),
    Column("applicant_person", Text, nullable=False),
    Column("applicant_unit", String(18)),
    Column("applicant_region", String(6), nullable=False),
    Column("from_day", String(10)),
    Column("to_day", String(10)),
    Column("purpose", Text),
    Column("loan_id", String(64)),
    Column("accepts_partial", Boolean, nullable=False),
    Column("notice_until", String(10)),
    Column("overdue_stage", Integer, nullable=False),
    Column("details", JSON, nullable=False),
    Column("command_id", String(64)),
    Column("settlement", String(16), nullable=False),
    Column("holds_expire_at", String(32)),
    Column("version", Integer, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Column("warned_of", String(32)),
    Column("wants", JSON),
    Index("orders_by_applicant", "applicant_region", "applicant_unit", "seq"),
    Index("orders_by_loan", "loan_id"),
    Index("orders_by_state", "state", "seq"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("asset_id", String(512), nullable=False),
    Column("asset_name", Text),
    Column("lending_region", String(6), nullable=False),
    Column("owner_unit", String(18)),
    Column("unit_of_measure", Text),
    Column("card_quantity", Text, nullable=False),
    Column("card_value", Text),
    Column("facts", String(64), nullable=False),
    Column("lineage", String(512)),
    Column("asked", Text, nullable=False),
    Column("refusal", String(32)),
    Column("accepts_partial", Boolean, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("dispatched", Text, nullable=False),
    Column("arrived", Text, nullable=False),
    Column("received", Text, nullable=False),
    Column("returning", Text, nullable=False, quote=True),
    Column("returned", Text, nullable=False),
    Column("hold_id", String(128)),
    Column("hold_state", String(16), nullable=False),
    Column("loan_line_id", String(64)),
    Column("outcome", String(16)),
    Column("due_day", String(10)),
    Column("estimate", Text),
    Column("cost", Text),
    Column("appraisal", Text),
    Column("quota", String(16)),
    Column("successors", JSON, nullable=False),
    Column("want", Integer),
    Column("asset_class", String(32)),
    Index("order_lines_by_order", "order_id", "position"),
    Index("order_lines_by_asset", "asset_id", "order_id"),
    Index("order_lines_by_region", "lending_region", "order_id"),
    Index("order_lines_by_owner", "owner_unit", "order_id"),
    Index("order_lines_by_source", "loan_line_id"),
)

approval_steps = Table(
    "approval_steps",
    metadata,
    Column("order_id", String(64), ForeignKey("orders.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("office", String(24), nullable=False),
    Column("region", String(6)),
    Column("unit", String(18)),
    Column("clause", String(64), nullable=False),
    Column("extension", Integer),
    Column("state", String(16), nullable=False),
    Column("comment", Text),
    Column("decided_by", Text),
    Column("decided_unit", String(18)),
    Column("decided_region", String(6)),
    Column("decided_at", String(32)),
    Column("on_behalf_of", Text),
    Index("approval_steps_by_office", "state", "office", "region", "unit"),
)

extensions = Table(
    "extensions",
    metadata,
    Column("order_id", String(64), ForeignKey("orders.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("to_day", String(10), nullable=False),
    Column("reason", Text),
    Column("state", String(16), nullable=False),
    Column("asked_at", String(32), nullable=False),
    Column("decided_at", String(32)),
)

compensations = Table(
    "compensations",
    metadata,
    Column("line_id", String(64), ForeignKey("order_lines.id"), primary_key=True),
    Column("order_id", String(64), nullable=False),
    Column("amount", Text, nullable=False),
    Column("proposed_by", Text),
    Column("agreed_by", Text),
    Column("agreed_unit", String(18)),
    Column("agreed_region", String(6)),
    Column("agreed_at", String(32)),
    Column("settled_by", Text),
    Column("settled_at", String(32)),
    Column("reference", Text),
    Index("compensations_by_order", "order_id"),
)

delegations = Table(
    "delegations",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("person", Text, nullable=False),
    Column("unit", String(18)),
    Column("region", String(6)),
    Column("roles", JSON, nullable=False),
    Column("delegate", Text, nullable=False),
    Column("from_day", String(10), nullable=False),
    Column("to_day", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("revoked_at", String(32)),
    Index("delegations_by_delegate", "delegate", "to_day"),
    Index("delegations_by_person", "person", "seq"),
)
"""An office lent for a time: the roles that `person` held in `unit` and `region` when lending it to `delegate`."""

timeline = Table(
    "timeline",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("at", String(32), nullable=False),
    Column("command", String(24), nullable=False),
    Column("from_state", String(16)),
    Column("to_state", String(16), nullable=False),
    Column("person", Text),
    Column("unit", String(18)),
    Column("region", String(6)),
    Column("comment", Text),
    Index("timeline_by_order", "order_id", "seq"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("actor", String(256), nullable=False),
    Column("key", String(128), nullable=False),
    Column("name", String(24), nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("order_id", String(64)),
    Column("warehouse_id", String(128)),
    Column("state", String(16), nullable=False),
    Column("problems", JSON, nullable=False),
    Column("body", JSON, nullable=False),
    Column("person", Text),
    Column("unit", String(18)),
    Column("region", String(6)),
    Column("lease_until", String(32)),
    Column("created_at", String(32), nullable=False),
    UniqueConstraint("actor", "key", name="commands_once"),
    Index("commands_by_state", "state", "created_at"),
)

steps = Table(
    "steps",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("command_id", String(64), ForeignKey("commands.id"), nullable=False),
    Column("order_id", String(64), nullable=False),
    Column("line_id", String(64), nullable=False),
    Column("position", Integer, nullable=False),
    Column("action", String(16), nullable=False),
    Column("asset_id", String(512), nullable=False),
    Column("input", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("result", JSON),
    Column("problems", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("updated_at", String(32), nullable=False),
    Index("steps_by_command", "command_id", "position"),
    Index("steps_by_asset", "asset_id", "updated_at"),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("position", _Sequence, primary_key=True, autoincrement=True),  # order of insertion over all lineages
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
    Column("position", _Sequence, nullable=False),  # the last entry that it covers
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
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
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
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("run_id", String(64), ForeignKey("ledger_runs.id"), nullable=False),
    Column("region", String(6), nullable=False),
    Column("asset_id", String(512)),
    Column("code", String(24), nullable=False),
    Column("in_ledger", Text),
    Column("in_store", Text),
    Index("ledger_differences_by_run", "run_id", "region", "seq"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("topic", String(48), nullable=False),
    Column("subject", String(512), nullable=False),
    Column("audience", JSON, nullable=False),
    Column("data", JSON, nullable=False),
    Column("at", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Index("outbox_by_state", "state", "seq"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("person", Text),
    Column("unit", String(18)),
    Column("region", String(6)),
    Column("action", String(32), nullable=False),
    Column("subject", String(512), nullable=False),
    Column("data", JSON, nullable=False),
    Index("audit_log_by_subject", "subject", "seq"),
    Index("audit_log_by_person", "person", "seq"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", String(96), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("digest", String(64)),
    Column("state", String(16), nullable=False),
    Column("person", Text, nullable=False),
    Column("unit", String(18)),
    Column("region", String(6)),
    Column("at", String(32), nullable=False),
    Column("expires_at", String(32)),
    Index("attachments_by_order", "order_id", "state"),
    Index("attachments_by_digest", "digest"),
    Index("attachments_by_expiry", "state", "expires_at"),
)

prints = Table(
    "prints",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("code", String(64), nullable=False, unique=True),
    Column("order_id", String(64), ForeignKey("orders.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("order_version", Integer, nullable=False),
    Column("summary", JSON, nullable=False),
    Column("person", Text, nullable=False),
    Column("unit", String(18)),
    Column("region", String(6)),
    Column("at", String(32), nullable=False),
    Index("prints_by_order", "order_id", "seq"),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("topics", JSON, nullable=False),
    Column("region", String(6)),
    Column("secret", Text),
    Column("secret_name", String(64)),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("person", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("webhook_id", String(64), ForeignKey("webhooks.id"), nullable=False),
    Column("notice_id", String(64), ForeignKey("outbox.id"), nullable=False),
    Column("subject", String(512), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", String(32), nullable=False),
    Column("lease_until", String(32)),
    Column("last_status", Integer),
    Column("last_error", String(32)),
    Column("updated_at", String(32), nullable=False),
    UniqueConstraint("webhook_id", "notice_id", name="deliveries_once"),
    Index("deliveries_by_turn", "webhook_id", "state", "next_at"),
    Index("deliveries_by_subject", "webhook_id", "subject", "state", "seq"),
    Index("deliveries_by_state", "state", "updated_at"),
)
