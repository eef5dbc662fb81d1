"""The store's tables as SQLAlchemy sees them, and which of their rows are assets at all.

Every statement about assets starts here: the joins, the row conditions, and the secrecy rule stand inside the store's
own query, so that a secret row never leaves it. Conditions compare the *text form* of a column, exactly: no collation
that ignores case or trailing spaces, and no number made out of a text, can let a row through.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.visitors import replacement_traverse

from adapters.mapping.model import Condition, Listing, Lookup, Mapping, WriteGrant
from adapters.mapping.toml import MappingError
from adapters.sql.dialects import is_blank, is_text, native_form, same_text, text_form
from adapters.sql.reader import TableInfo

__all__ = ["SqlSource", "native_form", "text_form"]


class SqlSource:
    """Resolves the mapping's column names and writes the part of a statement that says which rows count."""

    def __init__(self, mapping: Mapping, tables: Map[str, TableInfo | None], dialect: Dialect) -> None:
        self.mapping, self.dialect, self.info = mapping, dialect, tables
        self._check_tables()
        self._asset = self._table(mapping.table).alias("asset_row")
        self._joined = {join.alias: self._table(join.table).alias(f"j_{join.alias}") for join in mapping.joins}
        self._tables_of = {join.alias: join.table for join in mapping.joins}
        self._check_columns()

    @staticmethod
    def tables_of(mapping: Mapping) -> list[str]:
        names = [mapping.table, *(join.table for join in mapping.joins)]
        names += [lookup.table for lookup in mapping.lookups.values()]
        names += [listing.table for listing in (mapping.units, mapping.warehouses) if listing.origin == "table"]
        return list(dict.fromkeys(names))

    # --- names ----------------------------------------------------------------------------------------------------

    def column(self, name: str) -> sa.ColumnElement[Any]:
        alias, dot, bare = name.rpartition(".")
        if dot and alias in self._joined:
            return self._joined[alias].c[bare]
        return self._asset.c[name]

    def type_of(self, name: str) -> Any:
        alias, dot, bare = name.rpartition(".")
        table, column = (
            (self._tables_of[alias], bare) if dot and alias in self._tables_of else (self.mapping.table, name)
        )
        info = self.info[table]
        assert info is not None
        return info.types[column]

    def text(self, name: str) -> sa.ColumnElement[str]:
        return text_form(self.column(name), self.type_of(name), self.dialect)

    def is_own(self, name: str) -> bool:
        """Whether the column stands in the asset table itself."""
        return name.rpartition(".")[0] not in self._joined

    # --- statements -----------------------------------------------------------------------------------------------

    def select(self, *columns: Any) -> sa.Select[Any]:
        """A statement over the rows that are assets and open."""
        return self.select_all(*columns).where(*self.is_asset())

    def select_all(self, *columns: Any) -> sa.Select[Any]:
        """Over all rows, the secret ones too: whoever asks so adds `is_asset`."""
        return sa.select(*columns).select_from(self._from())

    def is_asset(self) -> list[sa.ColumnElement[bool]]:
        """Together: the row is an asset, and open."""
        secrecy = self._open()
        return [*map(self.holds, self.mapping.rows), *([] if secrecy is None else [secrecy])]

    def holds(self, condition: Condition) -> sa.ColumnElement[bool]:
        """The condition on an asset row; null where the store cannot tell."""
        return self._holds(condition, self.column(condition.column), self.type_of(condition.column))

    def native_select(self) -> sa.Select[Any]:
        """All native columns the mapping reads, in its order."""
        return self.select(*self.native_columns())

    def native_columns(self, wanted: Sequence[str] | None = None) -> list[sa.Label[Any]]:
        """These native columns, in this order; None: all that the mapping reads."""
        names = self.mapping.columns if wanted is None else wanted
        columns = [native_form(self.column(name), self.type_of(name), self.dialect) for name in names]
        return [column.label(f"c{at}") for at, column in enumerate(columns)]

    def lookup_select(self, lookup: Lookup) -> sa.Select[Any]:
        columns = [lookup.key, lookup.value, *([lookup.label] if lookup.label else [])]
        return self._side_select(lookup.table, columns, lookup.where)

    def listing_select(self, listing: Listing) -> tuple[sa.Select[Any], list[str]]:
        wanted = (listing.key, listing.name, listing.uscc, listing.warehouse_kind, listing.address)
        columns: list[str] = [column for column in wanted if column]
        return self._side_select(listing.table, columns, listing.where), columns

    def status_update(self, grant: WriteGrant) -> sa.Update:
        """One row's new status, while it is open, an asset, and at the version that was seen."""
        target = self._table(self.mapping.table)
        info = self.info[self.mapping.table]
        assert info is not None
        version = target.c[grant.version_column]
        values: dict[Any, Any] = {target.c[grant.status_column]: sa.bindparam("new_status")}
        if isinstance(info.types[grant.version_column], sa.Integer):
            values[version] = version + sa.literal_column("1")
        if grant.updated_column:
            values[target.c[grant.updated_column]] = sa.bindparam("now_utc")
        seen = text_form(version, info.types[grant.version_column], self.dialect)
        key = [target.c[part.column] == sa.bindparam(f"key_{at}") for at, part in enumerate(self.mapping.key)]
        unchanged = same_text(seen, sa.bindparam("seen_version"), self.dialect)
        return sa.update(target).where(*key, unchanged).values(values)

    def unique_key(self) -> bool:
        """Whether the store itself keeps the native key unique, and no join can repeat a row."""
        info = self.info[self.mapping.table]
        assert info is not None
        key = {part.column for part in self.mapping.key}
        return all(map(self.is_own, key)) and any(columns <= key for columns in info.unique) and self.joins_to_one()

    def own_conditions(self, target: Any) -> list[sa.ColumnElement[bool]]:
        """What the asset table itself says of which rows are assets and open, as conditions on `target`: a secret row,
        or another version, may bear the key of an open one."""
        conditions = [self.holds(item) for item in self.mapping.rows if self.is_own(item.column)]
        secrecy = self.mapping.secrecy.column
        if secrecy is not None and self.is_own(secrecy) and (opened := self._open()) is not None:
            conditions.append(opened)

        def moved(element: Any, **_: Any) -> Any:
            is_ours = isinstance(element, sa.ColumnClause) and element.table is self._asset
            return target.c[element.name] if is_ours else None

        return [replacement_traverse(condition, {}, moved) for condition in conditions]

    def joins_to_one(self) -> bool:
        for join in self.mapping.joins:
            info = self.info[join.table]
            assert info is not None
            if not any(columns <= {own for own, _ in join.on} for columns in info.unique):
                return False
        return True

    def _side_select(self, table: str, columns: list[str], where: tuple[Condition, ...]) -> sa.Select[Any]:
        side, info = self._table(table), self.info[table]
        assert info is not None
        forms = [native_form(side.c[column], info.types[column], self.dialect) for column in dict.fromkeys(columns)]
        statement: sa.Select[Any] = sa.select(*(form.label(f"c{at}") for at, form in enumerate(forms)))
        for condition in where:
            statement = statement.where(self._holds(condition, side.c[condition.column], info.types[condition.column]))
        return statement

    def _from(self) -> sa.FromClause:
        joined: sa.FromClause = self._asset
        for join in self.mapping.joins:
            target = self._joined[join.alias]
            on = [target.c[own] == self.column(other) for own, other in join.on]
            joined = joined.outerjoin(target, sa.and_(*on))
        return joined

    def _holds(self, condition: Condition, column: sa.ColumnElement[Any], type_: Any) -> sa.ColumnElement[bool]:
        text = text_form(column, type_, self.dialect)
        match condition.test:
            case "null":
                return is_blank(column, text, self.dialect)
            case "not_null":
                return is_text(column, text, self.dialect)
            case "in":
                return sa.or_(*(same_text(text, value, self.dialect) for value in condition.values))
            case "not_in":
                other = (sa.not_(same_text(text, value, self.dialect)) for value in condition.values)
                return sa.and_(column.is_not(None), *other)

    def _open(self) -> sa.ColumnElement[bool] | None:
        """What is open; every other row, undecided ones included, is secret."""
        rule = self.mapping.secrecy
        if rule.column is None:
            return None
        text = self.text(rule.column)
        if rule.lookup is None:
            return sa.or_(sa.false(), *(same_text(text, value, self.dialect) for value in rule.open))
        lookup = self.mapping.lookups[rule.lookup]
        side, info = self._table(lookup.table).alias("secrecy_code"), self.info[lookup.table]
        assert info is not None
        value = text_form(side.c[lookup.value], info.types[lookup.value], self.dialect)
        key = text_form(side.c[lookup.key], info.types[lookup.key], self.dialect)
        conditions = [self._holds(item, side.c[item.column], info.types[item.column]) for item in lookup.where]
        opened = sa.or_(sa.false(), *(same_text(value, text, self.dialect) for text in rule.open))
        entries: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(side)
        entries = entries.where(same_text(key, text, self.dialect), *conditions)
        # A code that its table has twice, once as open and once as not, decides nothing: such a row is secret.
        return sa.and_(
            sa.exists(entries.where(opened)),
            sa.not_(sa.exists(entries.where(sa.or_(value.is_(None), sa.not_(opened))))),
        )

    # --- checks ---------------------------------------------------------------------------------------------------

    def _table(self, name: str) -> sa.TableClause:
        info = self.info[name]
        assert info is not None
        columns: list[sa.ColumnClause[Any]] = [sa.column(sa.sql.quoted_name(column, True)) for column in info.types]
        schema = None if info.schema is None else sa.sql.quoted_name(info.schema, True)
        return sa.table(sa.sql.quoted_name(info.name, True), *columns, schema=schema)

    def _check_tables(self) -> None:
        for name, info in self.info.items():
            if info is None:
                raise MappingError(
                    "source", f"the store has no table {name!r}", "correct the table's name in the mapping"
                )

    def _check_columns(self) -> None:
        tables = {join.alias: join.table for join in self.mapping.joins}
        for name in self.mapping.columns:
            alias, dot, bare = name.rpartition(".")
            self._check(tables[alias], bare) if dot and alias in tables else self._check(self.mapping.table, name)
        for join in self.mapping.joins:
            for own, other in join.on:
                self._check(join.table, own)
                alias, dot, bare = other.rpartition(".")
                self._check(tables[alias], bare) if dot and alias in tables else self._check(self.mapping.table, other)
        for lookup in self.mapping.lookups.values():
            for column in (lookup.key, lookup.value, lookup.label, *(item.column for item in lookup.where)):
                if column:
                    self._check(lookup.table, column)
        for listing in (self.mapping.units, self.mapping.warehouses):
            if listing.origin == "table":
                wanted = (listing.key, listing.name, listing.uscc, listing.warehouse_kind, listing.address)
                for column in (*wanted, *(item.column for item in listing.where)):
                    if column:
                        self._check(listing.table, column)

    def _check(self, table: str, column: str) -> None:
        info = self.info[table]
        assert info is not None
        if column not in info.types:
            has = ", ".join(info.types)
            raise MappingError(column, f"table {table!r} has no column {column!r}", f"it has: {has}")
