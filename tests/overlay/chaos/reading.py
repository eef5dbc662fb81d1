"""What stands in the store and in the owners' books at one moment, read past the code that is under test where it can be."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, create_engine, make_url, select

from overlay.orders import repository
from overlay.orders.model import Flow, Line, Order
from overlay.store import tables
from subgraphs.district.custody.decisions import Entry
from tests.overlay.city import City

__all__ = ["Reader", "Reading", "Row"]

Row = Mapping[str, Any]
LOGS = frozenset({"audit_log", "deliveries"})
"""What every request may add to, one that is repeated too, and what the overlay carries out of the store by itself."""
CARRIED = frozenset({("outbox", "state")})
"""Columns that say how far it has carried a row."""
RECORDS_OF_COMMANDS = LOGS | {"commands"}
"""What a refused command may add to."""


@dataclass(frozen=True, slots=True)
class Reading:
    now: datetime
    orders: Mapping[str, Order]
    unlisted: frozenset[str]
    commands: Sequence[Row]
    steps: Sequence[Row]
    timelines: Mapping[str, Sequence[Row]]
    ledgers: Mapping[str, Sequence[Row]]
    """Entries by lineage, in order."""
    holds: Mapping[str, Entry]
    answers: Mapping[str, Row]
    """What the owners answered, by the key of the command."""
    delegations: Sequence[Row]
    quantities: Mapping[str, Decimal]
    """Of each card, with what has left it for good."""
    cards: Mapping[str, Decimal]
    """Of each card, as it is now."""
    lineages: Mapping[str, str]
    """Of each card: the one that its goods first stood on."""
    registered: Mapping[str, Decimal]
    """What its owner once bought, by lineage."""
    whole: str
    """A digest of every row of the store but its logs, and of the owners' books."""
    without_records: str
    """The same without the tables that a refused command may add to."""

    @property
    def goods(self) -> list[tuple[Order, Line]]:
        """The lines whose goods move by themselves; those of a return move on the loan's."""
        return [(order, line) for order in self.orders.values() if order.flow != Flow.RETURN for line in order.lines]


class Reader:
    """Reads a store through a driver of its own, in this thread: many readings are made, and most of them are small."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        driver = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql+psycopg"
        self._engine = create_engine(parsed.set(drivername=driver), isolation_level="AUTOCOMMIT")
        self._begin = "BEGIN" if driver == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ"

    async def read(self, city: City) -> Reading:
        """One moment of the store and the books, which do nothing while this thread reads."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(self._begin)
            try:
                return await _read(connection, city)
            finally:
                connection.exec_driver_sql("ROLLBACK")

    def close(self) -> None:
        self._engine.dispose()


class _AtOnce:
    """A connection as the repository's functions take it, that never waits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, query: Any, parameters: Any = None) -> Any:
        return self._connection.execute(query, parameters)


async def _read(connection: Connection, city: City) -> Reading:
    rows = {table.name: _rows(connection, table) for table in tables.metadata.sorted_tables}
    query = select(tables.orders).order_by(tables.orders.c.seq)
    orders = await repository.load_orders(_AtOnce(connection), query)  # type: ignore[arg-type]
    books = repr([sorted(city.holds.items()), sorted(city.assets.items()), sorted(city.answers)])
    cards = {id_: _left(asset) for id_, asset in city.assets.items()}
    gone: defaultdict[str, Decimal] = defaultdict(Decimal)
    for hold in city.holds.values():
        gone[hold.asset] += hold.gone
    return Reading(
        now=city.clock.now,
        orders={order.id: order for order in orders},
        unlisted=frozenset(row["id"] for row in rows["orders"] if not row["listed"]),
        commands=rows["commands"],
        steps=rows["steps"],
        timelines=_grouped(rows["timeline"], "order_id", "seq"),
        ledgers=_grouped(rows["ledger_entries"], "lineage", "sequence"),
        holds=dict(city.holds),
        answers=dict(city.answers),
        delegations=rows["delegations"],
        quantities={id_: quantity + gone[id_] for id_, quantity in cards.items()},
        cards=cards,
        lineages={id_: str(asset["lineageId"]) for id_, asset in city.assets.items()},
        registered={
            id_: Decimal(asset["registered"]) for id_, asset in city.assets.items() if asset["predecessorId"] is None
        },
        whole=_digest({name: rows[name] for name in rows.keys() - LOGS}, books),
        without_records=_digest({name: rows[name] for name in rows.keys() - RECORDS_OF_COMMANDS}, books),
    )


def _left(asset: Mapping[str, Any]) -> Decimal:
    """A card of which nothing is left keeps its last quantity, and is disposed of."""
    return Decimal(0) if asset["status"] == "DISPOSED" else Decimal(asset["quantity"])


def _rows(connection: Connection, table: Table) -> Sequence[Row]:
    query = select(table).order_by(*table.primary_key.columns)
    return connection.execute(query).mappings().all()


def _digest(rows: Mapping[str, Sequence[Row]], books: str) -> str:
    stored = [(name, [_still(name, row) for row in rows[name]]) for name in sorted(rows)]
    return hashlib.sha256(f"{stored}{books}".encode()).hexdigest()


def _still(table: str, row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if (table, name) not in CARRIED}


def _grouped(rows: Sequence[Row], by: str, order: str) -> Mapping[str, Sequence[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row[order]):
        found[row[by]].append(row)
    return found
