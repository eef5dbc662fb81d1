"""The ledger's heads, balances, anchors and reconciliation; entries with their place, their class and running balances.

Entries that are there keep every word that their hash covers (form 1). Their order over all lineages is the order of
their instants; heads and balances are folded from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import op

from contract.decimals import format_decimal, format_money

revision = "0005"
down_revision = "0004"

_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 1_000
_KEPT = (
    "id", "lineage", "sequence", "asset_id", "pair", "movement", "region", "unit", "custody", "quantity", "value",
    "order_id", "at", "previous_hash", "hash",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("order_lines", sa.Column("asset_class", sa.String(32)))
    op.create_index("steps_by_asset", "steps", ["asset_id", "updated_at"])
    op.execute("CREATE TABLE ledger_entries_before AS SELECT * FROM ledger_entries")
    op.drop_table("ledger_entries")
    _create_entries()
    _create_sums()
    _create_anchors()
    _create_reconciliation()
    _copy_entries()
    op.drop_table("ledger_entries_before")


def _create_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("position", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("form", sa.Integer, nullable=False),
        sa.Column("lineage", sa.String(512), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("asset_id", sa.String(512), nullable=False),
        sa.Column("asset_class", sa.String(32)),
        sa.Column("pair", sa.String(64), nullable=False),
        sa.Column("movement", sa.String(16), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("unit", sa.String(18)),
        sa.Column("custody", sa.String(16), nullable=False),
        sa.Column("quantity", sa.Text, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("balance", sa.Text, nullable=False),
        sa.Column("balance_value", sa.Text),
        sa.Column("order_id", sa.String(64)),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("lineage", "sequence", name="ledger_entries_once"),
    )
    op.create_index("ledger_entries_by_asset", "ledger_entries", ["asset_id", "sequence"])
    op.create_index("ledger_entries_by_time", "ledger_entries", ["at"])
    op.create_index("ledger_entries_by_region", "ledger_entries", ["region", "position"])
    op.create_index("ledger_entries_by_order", "ledger_entries", ["order_id"])


def _create_sums() -> None:
    op.create_table(
        "ledger_lineages",
        sa.Column("lineage", sa.String(512), primary_key=True),
        sa.Column("asset_class", sa.String(32)),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "ledger_balances",
        sa.Column("lineage", sa.String(512), primary_key=True),
        sa.Column("asset_id", sa.String(512), primary_key=True),
        sa.Column("region", sa.String(6), primary_key=True),
        sa.Column("unit", sa.String(18), primary_key=True),
        sa.Column("custody", sa.String(16), primary_key=True),
        sa.Column("quantity", sa.Text, nullable=False),
        sa.Column("value", sa.Text),
    )
    op.create_index("ledger_balances_by_asset", "ledger_balances", ["asset_id"])
    op.create_index("ledger_balances_by_account", "ledger_balances", ["region", "unit", "custody"])


def _create_anchors() -> None:
    op.create_table(
        "ledger_anchors",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("position", _Sequence, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("exported_at", sa.String(32)),
    )


def _create_reconciliation() -> None:
    op.create_table(
        "ledger_runs",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("finished_at", sa.String(32)),
        sa.Column("figures", sa.JSON, nullable=False),
    )
    op.create_index("ledger_runs_by_state", "ledger_runs", ["state", "seq"])
    op.create_table(
        "ledger_differences",
        sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.String(64), sa.ForeignKey("ledger_runs.id"), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("asset_id", sa.String(512)),
        sa.Column("code", sa.String(24), nullable=False),
        sa.Column("in_ledger", sa.Text),
        sa.Column("in_store", sa.Text),
    )
    op.create_index("ledger_differences_by_run", "ledger_differences", ["run_id", "region", "seq"])


def _copy_entries() -> None:
    connection = op.get_bind()
    entries, lineages, balances = (
        sa.Table(name, sa.MetaData(), autoload_with=connection)
        for name in ("ledger_entries", "ledger_lineages", "ledger_balances")
    )
    before = sa.Table("ledger_entries_before", sa.MetaData(), autoload_with=connection)
    held: dict[tuple[str, ...], tuple[Decimal, Decimal | None]] = {}
    heads: dict[str, tuple[int, str]] = {}
    rows = connection.execute(sa.select(before).order_by(before.c.at, before.c.lineage, before.c.sequence)).mappings()
    for part in _parts(_with_balances(rows, held, heads)):
        connection.execute(sa.insert(entries), part)
    for part in _parts({"lineage": one, "sequence": number, "hash": hash_} for one, (number, hash_) in heads.items()):
        connection.execute(sa.insert(lineages), part)
    names = ("lineage", "asset_id", "region", "unit", "custody")
    for part in _parts(
        {**dict(zip(names, key, strict=True)), "quantity": format_decimal(quantity), "value": _money(value)}
        for key, (quantity, value) in held.items()
        if quantity or value
    ):
        connection.execute(sa.insert(balances), part)


def _with_balances(
    rows: Iterable[Any], held: dict[tuple[str, ...], tuple[Decimal, Decimal | None]], heads: dict[str, tuple[int, str]]
) -> Iterator[dict[str, Any]]:
    for row in rows:
        account = (row["lineage"], row["asset_id"], row["region"], row["unit"] or "", row["custody"])
        quantity, value = held.get(account, (Decimal(0), None))
        quantity += Decimal(row["quantity"])
        if row["value"] is not None:
            value = (value or Decimal(0)) + Decimal(row["value"])
        held[account] = quantity, value
        heads[row["lineage"]] = max(heads.get(row["lineage"], (0, "")), (row["sequence"], row["hash"]))
        kept = {name: row[name] for name in _KEPT}
        yield kept | {"form": 1, "balance": format_decimal(quantity), "balance_value": _money(value)}


def _money(value: Decimal | None) -> str | None:
    return None if value is None else format_money(value)


def _parts(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    waiting = iter(rows)
    while part := list(islice(waiting, _AT_ONCE)):
        yield part
