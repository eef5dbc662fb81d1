"""The mapper for one set of canonical fields, column by column: what a page of a live store is mapped by.

`RowMapper` reads a row field by field, each by a chain of small functions, for whatever may stand in a column. Most
values are what they seem, and a column's values mostly look alike. So rows are turned into columns, and for each field
there are *quick readers* by the class of the native value (`adapters.mapping.quick`): a float of money is printed with
two decimals, a code is looked up among those met before. A quick reader gives the canonical value or None, and on None
`RowMapper`'s own reader of that field decides. Texts, amounts, days and times have one more for a whole column, which
costs a few calls instead of one a value:

    raws ─▶ columns ─▶ whole(column) ─ None ─▶ quick(value), by its class
                                                 └─ None ─▶ the field's own reader, with the whole row ─▶ issues
         ─▶ rows

A quick reader must equal the field's own reader for every value of its class that it does not give up on, and, where
issues are wanted, answer only where that one finds none. `tests/adapters/mapping/test_compiled.py` compares both over
any value in any column. What a field is read by more than one column for (a case, a subtraction, a second column) has
no quick reader.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Mapping as Map
from datetime import date
from typing import Any, TypeAlias

from adapters.mapping.fields import FieldReader, Raw, build_reader
from adapters.mapping.mapper import (
    CLASS_FIELDS,
    Fate,
    Mapped,
    RowMapper,
    class_reader,
    key_reader,
    native_text,
    settled_fate,
)
from adapters.mapping.model import FieldMapping, Mapping
from adapters.mapping.quick import Quick, Whole, all_bare, quick_readers, whole_readers
from adapters.model import FieldKind, Issue, Row
from contract.order import SortValue

__all__ = ["CompiledMapper", "native_columns"]

MEMO_MAX = 8192
"""Values of one column that are remembered with what they mean; what comes after them is read each time."""
_MEMO_CLASSES = (str, int, bool, date)
"""Of which values are remembered, each in a dict of its own: `1` and `True` would be one key."""

_NULL_ALONE = {type(None)}
_NOTHING = (None, "")

Native: TypeAlias = tuple[SortValue, ...]
Found: TypeAlias = Sequence[list[Issue]]
"""Of each row the issues found so far."""
ReadColumn: TypeAlias = Callable[[Sequence[Raw], Sequence[Sequence[Any]], Found], Iterable[Any]]
"""(rows, columns, issues) → the field's value of each row."""


def native_columns(mapping: Mapping, fields: Collection[str] | None) -> tuple[str, ...]:
    """The native columns that these canonical fields are made of, in the mapping's order; None: all."""
    version = mapping.fields.get("version")
    if fields is None or "issues" in fields or ("version" in fields and version is not None and version.digest):
        return mapping.columns
    wanted = {part.column for part in mapping.key}
    for name, mapped in mapping.fields.items():
        if name in fields:
            wanted.update(mapped.read_columns)
            wanted.update(mapping.fields["name"].columns if mapped.from_name else ())
    if mapping.class_ is not None and any(name in fields for name in CLASS_FIELDS):
        wanted.add(mapping.class_.column)
        wanted.update((mapping.class_.name_column,) if mapping.class_.name_column else ())
    return tuple(column for column in mapping.columns if column in wanted)


class CompiledMapper:
    """Maps native rows of the columns `columns` to the canonical fields asked for and `native`.

    With `fields` None, or `issues` among them, these are all fields and the row's issues. Otherwise issues are not
    looked for, so only rows that are known to be listed may be given.
    """

    def __init__(self, mapper: RowMapper, fields: Collection[str] | None = None) -> None:
        self._mapper, mapping = mapper, mapper.mapping
        self.with_issues = fields is None or "issues" in fields
        self._asked = None if self.with_issues else fields
        self.columns = native_columns(mapping, self._asked)
        self._index = {column: at for at, column in enumerate(self.columns)}
        self._key = key_reader(mapping, self._index)
        own = [(name, self._field(mapped)) for name, mapped in mapping.fields.items() if self._asks(name)]
        self._readers = [read for _, read in own]
        six = CLASS_FIELDS if mapping.class_ is not None and any(map(self._asks, CLASS_FIELDS)) else ()
        self._class = self._class_column() if six else None
        absent = {**dict.fromkeys(CLASS_FIELDS), **mapper.blank}
        constants = {name: value for name, value in absent.items() if self._asks(name) and name not in six}
        self._made = _row_maker(["native", *(name for name, _ in own)], six, constants, self._asks)

    def rows(self, raws: Sequence[Raw]) -> tuple[list[Row], list[Native]]:
        """Rows that are known to be listed, and their native keys."""
        nobody_asks: list[Issue] = []
        natives, rows = self._read(raws, [nobody_asks] * len(raws))
        return rows, [native or () for native in natives]

    def map(self, raws: Sequence[Raw]) -> list[Mapped]:
        """What `RowMapper.map` gives of each; only where issues are asked for."""
        assert self.with_issues
        found: list[list[Issue]] = [[] for _ in raws]
        natives, rows = self._read(raws, found)
        is_sound, settled = self._mapper.is_surely_sound, self._mapper.settled
        mapped: list[Mapped] = []
        for raw, native, row, issues in zip(raws, natives, rows, found, strict=True):
            if native is not None and is_sound(row):
                row["issues"] = issues
                mapped.append(Mapped(settled_fate(issues) if issues else Fate.LISTED, native, row, issues))
            else:
                mapped.append(settled(raw, native, row, issues))
        return mapped

    def _read(self, raws: Sequence[Raw], found: Found) -> tuple[list[Native | None], list[Row]]:
        if not raws:
            return [], []
        columns: list[Sequence[Any]] = list(zip(*raws, strict=True))
        natives, texts = self._natives(raws, columns)
        values = [read(raws, columns, found) for read in self._readers]
        if self._class is not None:
            values += zip(*self._class(raws, columns, found), strict=True)
        return natives, self._made(zip(texts, *values, strict=True))

    def _asks(self, name: str) -> bool:
        return self._asked is None or name in self._asked

    def _natives(
        self, raws: Sequence[Raw], columns: Sequence[Sequence[Any]]
    ) -> tuple[list[Native | None], Sequence[str | None]]:
        """The native keys, and their texts."""
        key = self._mapper.mapping.key
        if len(key) == 1 and key[0].kind == "text":
            column = columns[self._index[key[0].column]]
            if set(map(type, column)) == {str} and all_bare(column):
                return list(zip(column, strict=True)), column
        natives = [self._key(raw) for raw in raws]
        return natives, [None if native is None else native_text(native) for native in natives]

    def _field(self, mapped: FieldMapping) -> ReadColumn:
        names = self._mapper.mapping.fields["name"].columns
        name_at = tuple(self._index[column] for column in names if column in self._index)
        read = build_reader(mapped, self._index, self._mapper.side, name_at)
        if not _reads_one_column(mapped):
            column = _by_row(read)
        else:
            nothing = mapped.default is None and mapped.spec.kind is not FieldKind.BOOLEAN
            quick, wholes = quick_readers(mapped), whole_readers(mapped)
            column = self._quick_column(self._index[mapped.columns[0]], read, quick, nothing, wholes)
        return _never_null(column) if mapped.spec.name == "version" else column

    def _class_column(self) -> ReadColumn:
        """Of each row the six fields of its class."""
        mapping = self._mapper.mapping
        read, mapped = class_reader(mapping, self._index, self._mapper.side), mapping.class_
        assert read is not None
        assert mapped is not None

        def six(raw: Raw, found: list[Issue]) -> tuple[Any, ...]:
            row: Row = dict.fromkeys(CLASS_FIELDS)
            read(raw, row, found)
            return tuple(row[name] for name in CLASS_FIELDS)

        if mapped.name_column is not None:
            return _by_row(six)
        return self._quick_column(self._index[mapped.column], six, None, nothing_is_none=False)

    def _quick_column(
        self,
        at: int,
        read: FieldReader,
        quick: Map[type, Quick] | None,
        nothing_is_none: bool,
        wholes: tuple[Whole, ...] = (),
    ) -> ReadColumn:
        """`quick` None: by what the column's values have meant before. `nothing_is_none`: a null or an empty text has
        no need to be read."""
        slow = read
        if quick is None:
            slow, quick = _remembering(read, at, with_flawed=not self.with_issues)
        by_class = quick

        def read_column(raws: Sequence[Raw], columns: Sequence[Sequence[Any]], found: Found) -> Sequence[Any]:
            column = columns[at]
            classes = set(map(type, column))
            if nothing_is_none and classes == _NULL_ALONE:
                return column
            for whole in wholes:
                if classes <= whole.classes and (known := whole.read(column)) is not None:
                    return known
            if len(classes) == 1 and (one := by_class.get(classes.pop())) is not None:
                values = list(map(one, column))
            else:
                values = [None if (one := by_class.get(type(value))) is None else one(value) for value in column]
            if None in values:
                for place, value in enumerate(values):
                    if value is None and not (nothing_is_none and column[place] in _NOTHING):
                        values[place] = slow(raws[place], found[place])
            return values

        return read_column


def _row_maker(
    own: Sequence[str], six: Sequence[str], constants: Map[str, Any], asks: Callable[[str], bool]
) -> Callable[[Iterable[tuple[Any, ...]]], list[Row]]:
    """Values in the order of `own` and `six` → rows: a copy with each value set, which costs half of a dict display."""
    names = [*own, *six]
    values = ", ".join(f"v{at}" for at in range(len(names)))
    places = [(at, name) for at, name in enumerate(names) if name not in six or asks(name)]
    lines = ["def make(rows):", " made = []", f" for ({values},) in rows:", "  row = blank.copy()"]
    lines += [f"  row[{name!r}] = v{at}" for at, name in places]
    lines += ["  made.append(row)", " return made"]
    space: dict[str, Any] = {"blank": dict.fromkeys(name for _, name in places) | dict(constants)}
    exec(compile("\n".join(lines), "<rows>", "exec"), space)
    make: Callable[[Iterable[tuple[Any, ...]]], list[Row]] = space["make"]
    return make


def _reads_one_column(mapped: FieldMapping) -> bool:
    return mapped.read_columns == mapped.columns and len(mapped.columns) == 1 and not mapped.digest


def _by_row(read: FieldReader) -> ReadColumn:
    return lambda raws, columns, found: [read(raw, of) for raw, of in zip(raws, found, strict=True)]


def _never_null(read: ReadColumn) -> ReadColumn:
    def read_column(raws: Sequence[Raw], columns: Sequence[Sequence[Any]], found: Found) -> Iterable[Any]:
        return ["" if value is None else value for value in read(raws, columns, found)]

    return read_column


def _remembering(read: FieldReader, at: int, with_flawed: bool) -> tuple[FieldReader, Map[type, Quick]]:
    """The reader of one column, and quick readers of what it has given; `with_flawed`: be there an issue or not.

    Else what it gave with issues is remembered with them; rows share an issue, and nobody changes one.
    """
    memos: dict[type, dict[Any, Any]] = {one: {} for one in _MEMO_CLASSES}
    flawed: dict[tuple[type, Any], tuple[Any, list[Issue]]] = {}

    def read_and_remember(raw: Raw, found: list[Issue]) -> Any:
        native = raw[at]
        memo = memos.get(type(native))
        if memo is None:
            return read(raw, found)
        known = flawed.get((type(native), native))
        if known is not None:
            found += known[1]
            return known[0]
        issues = len(found)
        value = read(raw, found)
        if with_flawed or len(found) == issues:
            if len(memo) < MEMO_MAX:
                memo[native] = value
        elif len(flawed) < MEMO_MAX:
            flawed[type(native), native] = (value, found[issues:])
        return value

    return read_and_remember, {one: memo.get for one, memo in memos.items()}
