"""What only a look at all rows can tell: the irregular ones, keys and codes that occur twice.

The store's own query answers for *regular* rows, exactly and as they are now. The others (`adapters.sql.regular`) are
few: they are looked up by one pass of the store, mapped, kept in memory, and merged into every answer. A request needs
those that are irregular in one of its own fields, and those of which SQL cannot say whether they are listed at all.

**How old they may be.** They hold while the store proves that nothing has changed: SQLite by its `data_version`,
PostgreSQL by a snapshot that sees the same transactions. Where it has changed or cannot tell (MariaDB), a store of up
to `scan_rows_max` rows is looked through again for each answer, which is then exact. A larger one is never looked
through for more than one part in `SHARE` of the time: a row that turns irregular may be missing from answers for
`SHARE` times as long as the look takes. More than `IRREGULAR_MAX` irregular rows are refused.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from adapters.mapping.compiled import CompiledMapper
from adapters.mapping.issues import counted
from adapters.mapping.mapper import Fate, Mapped, RowMapper, native_kinds, today_in_shanghai
from adapters.model import QualityReport, QuarantinedRow, Row, StoreUnsupported
from adapters.snapshot import SortedRows, duplicate_code, duplicate_key, quarantine_place
from adapters.sql.asking import Asking
from adapters.sql.catalog import Catalog
from adapters.sql.forms import Condition, FixedForm, TextForm
from adapters.sql.invert import Inverted
from adapters.sql.reader import Reader, Statement, write_statement
from adapters.sql.regular import holds
from adapters.sql.sides import SideReader
from adapters.sql.source import SqlSource
from adapters.status import ReasonCode
from contract.order import SortValue

__all__ = ["IRREGULAR_MAX", "SHARE", "Facts", "FactsKeeper"]

SHARE = 20
IRREGULAR_MAX = 5_000
_DOUBLE_KEYS_MAX = 200
_DOUBLE_CODES_MAX = 50_000
_AT_ONCE = 400
_MAPPERS_KEPT = 32
"""Sets of fields asked for; beyond, their mappers are compiled anew when needed."""
Keyed = tuple[Row, tuple[SortValue, ...]]


@dataclass(slots=True)
class Facts:
    """Of one state of the store."""

    token: Hashable | None
    day: date
    """Whether a date lies in the future depends on it."""
    mapper: RowMapper
    inverted: Inverted
    asking: Asking
    taken: float = field(default_factory=time.monotonic)
    cost_s: float = 0.0
    is_small: bool = True
    """Few enough rows to be looked through for each answer."""
    excluded: tuple[tuple[Any, ...], ...] = ()
    """Keys of rows that look listed, but share their key with another."""
    judged: list[tuple[Mapped, tuple[Any, ...]]] = field(default_factory=list)
    """Rows of which SQL cannot say that they are listed."""
    double_codes: frozenset[str] = frozenset()
    irregular: dict[str, dict[str, Keyed]] = field(default_factory=dict)
    """Field → native key → row: listed, but irregular in this field."""
    refused: dict[str, StoreUnsupported] = field(default_factory=dict)
    """Fields that this state of the store does not let us ask for."""
    merged: dict[frozenset[str], SortedRows] = field(default_factory=dict)
    report: QualityReport | None = None
    mappers: dict[frozenset[str] | None, CompiledMapper] = field(default_factory=dict)

    def regular(self, names: Iterable[str]) -> Condition:
        """The rows that the store answers for, in requests that speak of these fields."""
        forms = [self.inverted.form(name) for name in sorted(names)]
        conditions = [*self.inverted.source.is_asset(), self.inverted.listed(), *(form.regular() for form in forms)]
        if self.excluded:
            conditions.append(sa.not_(self._excluded()))
        return holds(sa.and_(*conditions))

    def _excluded(self) -> Condition:
        return self.asking.key_in([[sa.literal(part, sa.types.NULLTYPE) for part in key] for key in self.excluded])

    def compiled(self, fields: frozenset[str] | None) -> CompiledMapper:
        found = self.mappers.get(fields)
        if found is None:
            if len(self.mappers) >= _MAPPERS_KEPT:
                self.mappers.clear()
            found = self.mappers[fields] = CompiledMapper(self.mapper, fields)
        return found

    def mapped(
        self, raws: Sequence[tuple[Any, ...]], fields: frozenset[str] | None
    ) -> tuple[list[Row], list[tuple[SortValue, ...]]]:
        """Rows that the store lists, and their native keys; with issues only where they are asked for."""
        compiled = self.compiled(fields)
        if not compiled.with_issues:
            return compiled.rows(raws)
        found = compiled.map(raws)
        return [self._listed(one) for one in found], [one.native for one in found]

    def _listed(self, mapped: Mapped) -> Row:
        row = mapped.row
        if row is None or mapped.fate is not Fate.LISTED:
            raise StoreUnsupported("the store lists a row that the mapping would not", ReasonCode.RULE)
        self.add_doubles(row)
        return row

    def add_doubles(self, row: Row) -> None:
        if row["code"] in self.double_codes:
            row["issues"].append(duplicate_code(row["code"]))
            row["issues"].sort(key=lambda found: (found["code"], found["field"] or ""))

    def rows_beside(self, names: frozenset[str]) -> SortedRows:
        """The listed rows that the store does not answer for, in requests that speak of these fields."""
        found = self.merged.get(names)
        if found is None:
            rows: list[Keyed] = [
                (mapped.row, mapped.native)
                for mapped, _ in self.judged
                if mapped.fate is Fate.LISTED and mapped.row is not None
            ]
            by_key: dict[str, Keyed] = {}
            for name in names:
                by_key |= self.irregular[name]
            found = SortedRows([*rows, *by_key.values()], native_kinds(self.mapper.mapping.key))
            self.merged[names] = found
        return found

    def quarantined(self) -> list[QuarantinedRow]:
        found = [(mapped, raw) for mapped, raw in self.judged if mapped.fate is not Fate.LISTED]
        rows = [
            QuarantinedRow(
                quarantine_place(mapped.row["native"] if mapped.row else None, at),
                self.mapper.raw_of(raw),
                mapped.issues or [],
            )
            for at, (mapped, raw) in enumerate(found)
        ]
        return sorted(rows, key=lambda row: row.native)


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why nothing is pushed, in this state of the store."""

    token: Hashable | None
    day: date
    taken: float
    cost_s: float
    is_small: bool
    error: StoreUnsupported


class FactsKeeper:
    def __init__(self, source: SqlSource, catalog: Catalog, reader: Reader, sides: SideReader) -> None:
        self._source, self._catalog, self._reader, self._sides = source, catalog, reader, sides
        self._facts: Facts | _Refused | None = None
        self._lock = asyncio.Lock()
        self.proves = catalog.engine != "mariadb"
        """Whether the store can tell that nothing has changed."""
        self.token_column: sa.ColumnElement[Any] | None = None
        """What tells the token beside the rows, in the very state that they are read from."""
        self._token_statement: Statement | None = None
        if catalog.engine == "postgresql":
            token = sa.cast(sa.func.txid_current_snapshot(), sa.Text)
            self.token_column = sa.select(token).scalar_subquery().label("state")
            self._token_statement = write_statement(sa.select(token), reader.dialect)

    async def token(self) -> Hashable | None:
        """Equal tokens prove that no row has changed in between."""
        if self._token_statement is not None:
            return (await self._reader.fetch(self._token_statement, {}))[0][0]  # type: ignore[no-any-return]
        return await self._reader.token()

    async def of(self, names: frozenset[str]) -> Facts:
        """With the irregular rows of these fields. Raises `StoreUnsupported` where something is not inverted."""
        facts = await self._current()
        missing = [name for name in names if name not in facts.irregular]
        if missing:
            async with self._lock:
                started = time.monotonic()
                for name in missing:
                    if name not in facts.irregular and name not in facts.refused:
                        await self._add_irregular(facts, name)
                facts.cost_s += time.monotonic() - started
        for name in missing:
            if name in facts.refused:
                raise facts.refused[name]
        return facts

    async def _add_irregular(self, facts: Facts, name: str) -> None:
        try:
            facts.irregular[name] = await self._irregular(facts, name)
        except StoreUnsupported as error:
            facts.refused[name] = error

    async def _current(self) -> Facts:
        token = await self.token()
        facts = self._facts
        if facts is None or not self.holds(facts, token):
            async with self._lock:
                facts = self._facts
                if facts is None or not self.holds(facts, token):
                    facts = self._facts = await self._taken(token)
        if isinstance(facts, _Refused):
            raise facts.error
        return facts

    async def _taken(self, token: Hashable | None) -> Facts | _Refused:
        started = time.monotonic()
        is_small = await self._is_small()
        try:
            return await self._take(token, is_small)
        except StoreUnsupported as error:
            return _Refused(token, today_in_shanghai(), started, time.monotonic() - started, is_small, error)

    async def _is_small(self) -> bool:
        rows_max = self._source.mapping.store.scan_rows_max
        some = self._source.select_all(sa.literal_column("1")).limit(sa.literal_column(str(rows_max + 1)))
        count = sa.select(sa.func.count()).select_from(some.subquery("some"))
        return (await self._fetch(count))[0][0] <= rows_max  # type: ignore[no-any-return]

    def holds(self, facts: Facts | _Refused, token: Hashable | None) -> bool:
        if facts.day != today_in_shanghai():
            return False
        if token is not None and facts.token == token:
            return True
        return not facts.is_small and time.monotonic() - facts.taken < facts.cost_s * SHARE

    # --- one pass over the store --------------------------------------------------------------------------------

    async def _take(self, token: Hashable | None, is_small: bool) -> Facts:
        started = time.monotonic()
        mapper = await self._sides.mapper()
        inverted = Inverted(self._source, self._catalog, mapper.side)
        facts = Facts(token, mapper.today, mapper, inverted, Asking(inverted), started, is_small=is_small)
        unsure = sa.not_(holds(inverted.listed()))
        raws = await self._rows(unsure, "fall under a rule, or lack a key or an amount")
        raws += await self._exclude_doubles(facts, raws)
        facts.judged = [(mapped, raw) for mapped, raw in zip(await _mapped(mapper, raws), raws, strict=True)]
        keys = Counter(mapped.native for mapped, _ in facts.judged if mapped.native)
        for mapped, _ in facts.judged:
            if mapped.row is not None and keys[mapped.native] > 1:
                mapped.row["issues"].append(duplicate_key(mapped.row["native"]))
                mapped.fate = Fate.QUARANTINED
        facts.double_codes = await self._double_codes(facts)
        for mapped, _ in facts.judged:
            if mapped.row is not None:
                facts.add_doubles(mapped.row)
                mapped.row["issues"].sort(key=lambda found: (found["code"], found["field"] or ""))
        facts.cost_s = time.monotonic() - started
        return facts

    async def _rows(self, where: Condition, what: str) -> list[tuple[Any, ...]]:
        statement = self._source.select(*self._source.native_columns()).where(where)
        limited = statement.limit(sa.literal_column(str(IRREGULAR_MAX + 1)))
        raws = await self._reader.fetch(write_statement(limited, self._reader.dialect), {})
        if len(raws) > IRREGULAR_MAX:
            raise StoreUnsupported(f"more than {IRREGULAR_MAX} rows {what}", ReasonCode.IRREGULAR)
        return raws

    async def _exclude_doubles(self, facts: Facts, judged: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Rows that would be listed, but for another one of the same key."""
        inverted, listed = facts.inverted, facts.inverted.listed()
        columns = [column.exactly() for column in inverted.key]
        found: set[tuple[Any, ...]] = set()
        if not self._source.unique_key():
            double = self._source.select(*columns).where(listed).group_by(*columns).having(sa.func.count() > 1)
            found |= await self._keys(double)
        mapper = facts.mapper
        unsure = [mapper.map(raw).native for raw in judged]
        keys = [key for native in dict.fromkeys(unsure) if native and (key := inverted.key_values(native)) is not None]
        for start in range(0, len(keys), _AT_ONCE):
            part = [[sa.literal(value, sa.types.NULLTYPE) for value in key] for key in keys[start : start + _AT_ONCE]]
            found |= await self._keys(self._source.select(*columns).where(listed).where(facts.asking.key_in(part)))
        if not found:
            return []
        facts.excluded = tuple(sorted(found))
        keys_in = facts.asking.key_in([[sa.literal(part, sa.types.NULLTYPE) for part in key] for key in facts.excluded])
        return await self._rows(sa.and_(listed, keys_in), "share their keys")

    async def _keys(self, statement: sa.Select[Any]) -> set[tuple[Any, ...]]:
        limited = statement.limit(sa.literal_column(str(_DOUBLE_KEYS_MAX + 1)))
        found = await self._reader.fetch(write_statement(limited, self._reader.dialect), {})
        if len(found) > _DOUBLE_KEYS_MAX:
            raise StoreUnsupported(f"more than {_DOUBLE_KEYS_MAX} keys occur twice", ReasonCode.KEY)
        return {tuple(map(_text, key)) for key in found}

    async def _double_codes(self, facts: Facts) -> frozenset[str]:
        """Printed codes that more than one row has, among all that are neither secret nor ignored."""
        form = facts.inverted.form("code")
        if isinstance(form, FixedForm) and form.value is None:
            facts.irregular["code"] = {}
            return frozenset()
        if not isinstance(form, TextForm):
            raise StoreUnsupported("whether a code occurs twice is found by mapping each row", ReasonCode.FIELD)
        facts.irregular["code"] = await self._irregular(facts, "code")
        code, regular = form.column.exactly(), facts.regular({"code"})
        rows = self._source.select_all(code).where(regular, sa.not_(form.null()))
        twice = rows.group_by(code).having(sa.func.count() > 1).limit(sa.literal_column(str(_DOUBLE_CODES_MAX + 1)))
        found = {_text(text) for (text,) in await self._fetch(twice)}
        if len(found) > _DOUBLE_CODES_MAX:
            raise StoreUnsupported(f"more than {_DOUBLE_CODES_MAX} codes occur twice", ReasonCode.IRREGULAR)
        ours = Counter(mapped.row["code"] for mapped, _ in facts.judged if mapped.row)
        ours.update(row["code"] for row, _ in facts.irregular["code"].values())
        del ours[None]
        values = [value for text in ours if (value := form.column.text_value(text)) is not None]
        for start in range(0, len(values), _AT_ONCE):
            part = form.column.literals(values[start : start + _AT_ONCE])
            met = await self._fetch(rows.where(form.column.is_one_of(part)))
            found |= {_text(text) for (text,) in met}
        found |= {text for text, count in ours.items() if count > 1}
        for row, _ in facts.irregular["code"].values():
            if row["code"] in found:
                row["issues"].append(duplicate_code(row["code"]))
                row["issues"].sort(key=lambda one: (one["code"], one["field"] or ""))
        return frozenset(found)

    async def _fetch(self, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
        return await self._reader.fetch(write_statement(statement, self._reader.dialect), {})

    async def _irregular(self, facts: Facts, name: str) -> dict[str, Keyed]:
        form = facts.inverted.form(name)
        if isinstance(form, FixedForm):
            return {}
        where = sa.and_(facts.regular(()), sa.not_(holds(form.regular())))
        raws = await self._rows(where, f"hold a {name} that only the mapper can read")
        found: dict[str, Keyed] = {}
        for mapped in await _mapped(facts.mapper, raws):
            if mapped.row is not None and mapped.fate is Fate.LISTED:
                facts.add_doubles(mapped.row)
                found[mapped.row["native"]] = (mapped.row, mapped.native)
        return found

    # --- the report -----------------------------------------------------------------------------------------------

    async def report(self) -> QualityReport:
        """All rows pass by once, a batch in memory at a time; kept as long as the facts are."""
        facts = await self._current()
        if facts.report is None:
            async with self._lock:
                if facts.report is None:
                    started = time.monotonic()
                    facts.report = await self._tally(facts)
                    facts.cost_s += time.monotonic() - started
        return facts.report

    async def _tally(self, facts: Facts) -> QualityReport:
        issues: Counter[tuple[str, str | None]] = Counter()
        rows = len(facts.judged)
        listed = sum(mapped.fate is Fate.LISTED for mapped, _ in facts.judged)
        quarantined = rows - listed
        for mapped, _ in facts.judged:
            issues.update(counted(mapped.issues or [], mapped.fate is Fate.LISTED))
        regular = self._source.select_all(*self._source.native_columns()).where(facts.regular(()))
        async for batch in self._reader.stream(write_statement(regular, self._reader.dialect)):
            issues.update(await asyncio.to_thread(_tallied, facts, batch))
            listed += len(batch)
        return QualityReport(listed + quarantined, listed, quarantined, dict(issues))


def _tallied(facts: Facts, raws: Sequence[tuple[Any, ...]]) -> Counter[tuple[str, str | None]]:
    found: Counter[tuple[str, str | None]] = Counter()
    for row in facts.mapped(raws, None)[0]:
        found.update(counted(row["issues"], True))
    return found


async def _mapped(mapper: RowMapper, raws: Sequence[tuple[Any, ...]]) -> list[Mapped]:
    return await asyncio.to_thread(lambda: [mapper.map(raw) for raw in raws])


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
