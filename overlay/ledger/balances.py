"""Balances by region, unit, class and custody, now or as of the end of a day.

The table of balances has a row for each account that holds something, so what is asked now costs those rows; as of a
past day, the entries since then are taken off again (an index finds them), so yesterday costs little more than now, and
the distant past no more than all entries. The store groups equal texts and counts them; they are added up here, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.identity import Identity
from overlay.clock import text_of
from overlay.ledger.heads import streamed
from overlay.ledger.model import OUTSIDE
from overlay.ledger.rights import visible_accounts
from overlay.store.tables import ledger_balances, ledger_entries, ledger_lineages

__all__ = ["Dimension", "Group", "LedgerFilter", "TooManyGroups", "count_lineages", "end_of", "read_balances"]

GROUPS_MAX = 5_000
_TOP_CLASS_LENGTH = 3
_SHANGHAI_IS_AHEAD = timedelta(hours=8)


class TooManyGroups(ValueError):
    """Balances are fetched whole, never cut: a question with more groups is refused."""


class Dimension(StrEnum):
    REGION = "REGION"
    UNIT = "UNIT"
    CLASS = "CLASS"
    TOP_CLASS = "TOP_CLASS"
    CUSTODY = "CUSTODY"


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """What is not given is not restricted."""

    regions: Sequence[str] | None = None
    units: Sequence[str] | None = None
    classes: Sequence[str] | None = None
    """These and all below them."""
    custodies: Sequence[str] | None = None
    asset_ids: Sequence[str] | None = None

    def conditions(self, table: Any) -> list[ColumnElement[bool]]:
        """On balances or entries, joined to their lineage."""
        found = [
            column.in_(wanted)
            for column, wanted in (
                (table.c.region, self.regions),
                (table.c.unit, self.units),
                (table.c.custody, self.custodies),
                (table.c.asset_id, self.asset_ids),
            )
            if wanted is not None
        ]
        if self.classes is not None:
            below = (ledger_lineages.c.asset_class.startswith(one, autoescape=True) for one in self.classes)
            found.append(or_(*below))
        return found


@dataclass(slots=True)
class Group:
    quantity: Decimal = Decimal(0)
    valued: Decimal = Decimal(0)
    """Of how much of the quantity the value is known."""
    value: Decimal = Decimal(0)


def end_of(day: date) -> str:
    """The first instant after a Shanghai day."""
    midnight = datetime.combine(day + timedelta(days=1), time(), UTC)
    return text_of(midnight - _SHANGHAI_IS_AHEAD)


async def read_balances(
    connection: AsyncConnection, identity: Identity, by: Sequence[Dimension], filter_: LedgerFilter, day: date | None
) -> dict[tuple[str | None, ...], Group]:
    """Groups by the values of their dimensions; the other side of openings only where its custody is asked for.
    Raises `TooManyGroups`."""
    groups: dict[tuple[str | None, ...], Group] = {}
    await _add(connection, groups, ledger_balances, _where(ledger_balances, identity, filter_), by, 1)
    if day is not None:
        later = [*_where(ledger_entries, identity, filter_), ledger_entries.c.at >= end_of(day)]
        await _add(connection, groups, ledger_entries, later, by, -1)
    return {key: groups[key] for key in sorted(groups, key=_order) if groups[key] != Group()}


async def count_lineages(
    connection: AsyncConnection, identity: Identity, filter_: LedgerFilter, day: date | None
) -> int:
    """How many lineages have ever moved within what is asked: the ledger knows nothing of cards that never did."""
    table = ledger_entries
    query = (
        select(func.count(table.c.lineage.distinct())).select_from(table).join(ledger_lineages, _same_lineage(table))
    )
    query = query.where(*_where(table, identity, filter_))
    if day is not None:
        query = query.where(table.c.at < end_of(day))
    return int((await connection.execute(query)).scalar_one())


def _where(table: Any, identity: Identity, filter_: LedgerFilter) -> list[ColumnElement[bool]]:
    found = [visible_accounts(identity, table), *filter_.conditions(table)]
    return found if filter_.custodies is not None else [*found, table.c.custody.not_in(OUTSIDE)]


async def _add(
    connection: AsyncConnection,
    groups: dict[tuple[str | None, ...], Group],
    table: Any,
    where: Sequence[ColumnElement[bool]],
    by: Sequence[Dimension],
    sign: int,
) -> None:
    dimensions = [_column(table, one).label(f"d{index}") for index, one in enumerate(by)]
    texts = (table.c.quantity, table.c.value)
    query = select(*dimensions, *texts, func.count().label("times")).join(ledger_lineages, _same_lineage(table))
    async for row in streamed(connection, query.where(*where).group_by(*dimensions, *texts)):
        group = groups.setdefault(tuple(row[: len(by)]), Group())
        if len(groups) > GROUPS_MAX:
            raise TooManyGroups(f"there are more than {GROUPS_MAX} groups: narrow the filter, or group by less")
        quantity, times = Decimal(row.quantity), row.times * sign
        group.quantity += quantity * times
        if row.value is not None:
            group.valued += quantity * times
            group.value += Decimal(row.value) * times


def _column(table: Any, dimension: Dimension) -> Any:
    match dimension:
        case Dimension.REGION:
            return table.c.region
        case Dimension.UNIT:
            return func.nullif(table.c.unit, literal_column("''"))
        case Dimension.CLASS:
            return ledger_lineages.c.asset_class
        case Dimension.TOP_CLASS:
            return func.substr(
                ledger_lineages.c.asset_class, literal_column("1"), literal_column(str(_TOP_CLASS_LENGTH))
            )
        case Dimension.CUSTODY:
            return table.c.custody


def _same_lineage(table: Any) -> ColumnElement[bool]:
    same: ColumnElement[bool] = table.c.lineage == ledger_lineages.c.lineage
    return same


def _order(key: tuple[str | None, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((part is None, part or "") for part in key)
