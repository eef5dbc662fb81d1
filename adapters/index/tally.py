"""Counts and sums of all combinations of the fields that rows are grouped by, kept beside the rows.

`tally(f…, many, s0…, odd)` has those fields under the names they have in `asset`, so one condition serves both. It is
made once and kept right by triggers when rows come or go. Sums are of whole thousandths; `odd` counts rows with an amount
that is none, and a group with one of them is added up from the rows themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from adapters.evaluate import GROUP_FIELDS
from adapters.index.layout import SUM_DIGITS, Layout

__all__ = ["grouped", "make_tally"]

_FIELDS: Final = tuple(name for name in GROUP_FIELDS if name != "classTop")
_EXACT_MAX: Final = 2**62
"""A sum beyond it may have run over."""


def make_tally(db: sqlite3.Connection, layout: Layout) -> None:
    fields = [layout.fields[name] for name in _FIELDS]
    listed, sums = ", ".join(fields), layout.sums
    db.execute(f"CREATE TABLE tally ({listed}, many INTEGER, {', '.join(sums)}, odd INTEGER)")
    odd = _odd("", sums)
    try:
        added = ", ".join(f"ifnull(sum({name}) FILTER (WHERE typeof({name}) = 'integer'), 0)" for name in sums)
        db.execute(f"INSERT INTO tally SELECT {listed}, count(*), {added}, sum({odd}) FROM asset GROUP BY {listed}")
    except sqlite3.OperationalError as error:
        if "integer overflow" not in str(error):
            raise
        nothing = ", ".join("0" for _ in sums)
        db.execute(f"INSERT INTO tally SELECT {listed}, count(*), {nothing}, count(*) FROM asset GROUP BY {listed}")
    db.execute(f"CREATE INDEX tally_by_fields ON tally ({listed})")
    for event, row, sign in (("INSERT", "NEW", "+"), ("DELETE", "OLD", "-")):
        same = " AND ".join(f"{name} IS {row}.{name}" for name in fields)
        first = f"INSERT INTO tally SELECT {', '.join(f'{row}.{name}' for name in fields)}, 0, {'0, ' * len(sums)}0"
        changes = [f"many = many {sign} 1", f"odd = odd {sign} ({_odd(f'{row}.', sums)})"]
        changes += [f"{name} = {name} {sign} iif(typeof({row}.{name}) = 'integer', {row}.{name}, 0)" for name in sums]
        db.execute(
            f"CREATE TRIGGER tally_{event} AFTER {event} ON asset BEGIN"
            f" {first} WHERE NOT EXISTS (SELECT 1 FROM tally WHERE {same});"
            f" UPDATE tally SET {', '.join(changes)} WHERE {same}; END"
        )


def _odd(of: str, sums: Sequence[str]) -> str:
    return " OR ".join(f"ifnull(typeof({of}{name}) = 'text', 0)" for name in sums)


def grouped(
    db: sqlite3.Connection, keys: Sequence[str], layout: Layout, where: str, values: Sequence[Any], *, tallied: bool
) -> list[tuple[Any, ...]]:
    """(key…, count, sum…); `tallied`: keys and condition name only what the tally has."""
    group_by = f" GROUP BY {', '.join(keys)}" if keys else ""
    selected = "".join(f"{key}, " for key in keys)
    if tallied:
        sums = ", ".join(f"sum({name})" for name in layout.sums)
        statement = (
            f"SELECT {selected}sum(many), {sums}, sum(odd) FROM tally WHERE {where}{group_by} HAVING sum(many) > 0"
        )
    else:
        sums = ", ".join(f"sum({name}) FILTER (WHERE typeof({name}) = 'integer')" for name in layout.sums)
        statement = (
            f"SELECT {selected}count(*), {sums}, sum({_odd('', layout.sums)}) FROM asset WHERE {where}{group_by}"
        )
    found = _exact(db, statement, values, len(keys) + 1)
    if found is not None:
        return found
    exact = ", ".join(
        f"gwc_sum(CASE typeof({name}) WHEN 'integer' THEN {name} || 'e-{SUM_DIGITS}' ELSE {name} END)"
        for name in layout.sums
    )
    added = db.execute(f"SELECT {selected}count(*), {exact} FROM asset WHERE {where}{group_by}", values).fetchall()
    return [(*record[: len(keys) + 1], *map(Decimal, record[len(keys) + 1 :])) for record in added]


def _exact(db: sqlite3.Connection, statement: str, values: Sequence[Any], places: int) -> list[tuple[Any, ...]] | None:
    """None where SQLite cannot add exactly what stands there."""
    try:
        found = db.execute(statement, values).fetchall()
    except sqlite3.OperationalError as error:
        if "integer overflow" not in str(error):
            raise
        return None
    groups = []
    for record in found:
        *sums, odd = record[places:]
        if odd or any(isinstance(one, float) or abs(one or 0) > _EXACT_MAX for one in sums):
            return None
        groups.append((*record[:places], *(Decimal(one or 0).scaleb(-SUM_DIGITS) for one in sums)))
    return groups
