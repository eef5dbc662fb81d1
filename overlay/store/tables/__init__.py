"""The overlay's tables, in one place; `migrations` bring a store to them, and a test keeps the two equal.

Numbers with decimals and instants are kept as text in the one spelling that `contract.decimals` and `overlay.clock`
give, so that SQLite and PostgreSQL hold the same and nothing is rounded. Ledger entries are only ever inserted.
"""

from __future__ import annotations

from overlay.store.tables.base import metadata
from overlay.store.tables.bodies import temporary_bodies
from overlay.store.tables.ledger import (
    ledger_anchors,
    ledger_balances,
    ledger_differences,
    ledger_entries,
    ledger_lineages,
    ledger_runs,
)
from overlay.store.tables.orders import (
    approval_steps,
    commands,
    compensations,
    delegations,
    extensions,
    order_lines,
    orders,
    steps,
    timeline,
)
from overlay.store.tables.papers import attachments, audit_log, deliveries, outbox, prints, webhooks
from overlay.store.tables.warehouses import (
    virtual_warehouses,
    warehouse_changes,
    warehouse_matches,
    warehouse_watches,
    watched_assets,
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
    "temporary_bodies",
    "timeline",
    "virtual_warehouses",
    "warehouse_changes",
    "warehouse_matches",
    "warehouse_watches",
    "watched_assets",
    "webhooks",
]
