"""The mapper for one set of canonical fields, as one straight-line function: what a page of a live store is mapped by.

`RowMapper` reads every field of a row by a chain of small functions, for whatever may stand in a column. Most values
are what they seem. So for each field there are *quick readers* by the class of the native value: a money column's
floats are printed with two decimals, an ISO day is taken as it stands, a code is looked up among those met before. A
quick reader gives the canonical value or None, and on None `RowMapper`'s own reader of that field decides:

    v = raw[7]
    if v is None: x7 = None                  # where nothing recorded is nothing mapped
    else:
        quick = q7.get(type(v))
        x7 = None if quick is None else quick(v)
        if x7 is None: x7 = f7(raw, found)

A quick reader must equal the field's own reader for every value of its class that it does not give up on, and, where
issues are wanted, answer only where that one finds none. `tests/adapters/mapping/test_compiled.py` compares both over any value in any
column. What a field is read by more than one column for (a case, a subtraction, a second column) has no quick reader.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from adapters.mapping.fields import FieldReader, Raw, build_reader
from adapters.mapping.mapper import CLASS_FIELDS, Mapped, RowMapper, class_reader, key_reader, native_text
from adapters.mapping.model import FieldMapping, Mapping
from adapters.mapping.quick import Quick, quick_readers
from adapters.mapping.values import TRIMMED
from adapters.model import FieldKind, Issue, Row
from contract.order import SortValue

__all__ = ["CompiledMapper", "native_columns"]

MEMO_MAX = 8192
"""Values of one column that are remembered with what they mean; what comes after them is read each time."""
_MEMO_CLASSES = (str, int)
"""`1`, `True`, `1.0` and `Decimal(1)` are one key of a dict, so only values of these very classes are remembered."""

Native = tuple[SortValue, ...]
Index = dict[str, int]


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
        self.columns = native_columns(mapper.mapping, fields)
        self._mapper = mapper
        self._whole = fields is None or "issues" in fields
        self._read = _Writer(mapper, self.columns, None if self._whole else fields).written()

    def row(self, raw: Raw) -> tuple[Row, Native]:
        """A row that is known to be listed, and its native key."""
        if self._whole:
            mapped = self.map(raw)
            assert mapped.row is not None
            return mapped.row, mapped.native
        native, row = self._read(raw, [])
        return row, native or ()

    def map(self, raw: Raw) -> Mapped:
        """What `RowMapper.map` gives; only where all fields are asked for."""
        assert self._whole
        found: list[Issue] = []
        native, row = self._read(raw, found)
        return self._mapper.settled(raw, native, row, found)


@dataclass(slots=True)
class _Writer:
    """Writes the function `(raw, found) -> (native key or None, row)`. Names are counted; texts stand in `repr` only."""

    mapper: RowMapper
    columns: tuple[str, ...]
    fields: Collection[str] | None
    lines: list[str] = field(default_factory=lambda: ["def read(raw, found):"])
    space: dict[str, Any] = field(default_factory=dict)
    index: Index = field(init=False)

    def written(self) -> Callable[[Raw, list[Issue]], tuple[Native | None, Row]]:
        self.index = {column: at for at, column in enumerate(self.columns)}
        entries = [f"'native': {self._key()}"]
        entries += [f"{name!r}: {self._value(name, mapped)}" for name, mapped in self._fields()]
        entries += self._class()
        entries += [f"{name!r}: {value!r}" for name, value in self.mapper.blank.items() if self._asks(name)]
        self.lines.append(f" return native, {{{', '.join(entries)}}}")
        exec(compile("\n".join(self.lines), "<mapper>", "exec"), self.space)
        read: Callable[[Raw, list[Issue]], tuple[Native | None, Row]] = self.space["read"]
        return read

    def _asks(self, name: str) -> bool:
        return self.fields is None or name in self.fields

    def _fields(self) -> list[tuple[str, FieldMapping]]:
        return [(name, mapped) for name, mapped in self.mapper.mapping.fields.items() if self._asks(name)]

    def _key(self) -> str:
        """The native key as a tuple, `native`; gives the expression of its text."""
        key = self.mapper.mapping.key
        self.space |= {"key": key_reader(self.mapper.mapping, self.index), "key_text": native_text, "blanks": TRIMMED}
        if len(key) > 1 or key[0].kind != "text":
            self.lines.append(" native = key(raw)")
            return "None if native is None else key_text(native)"
        self.lines.append(f" v = raw[{self.index[key[0].column]}]")
        self.lines.append(" native = (v,) if type(v) is str and v and v.strip(blanks) == v else key(raw)")
        return "None if native is None else native[0]"

    def _value(self, name: str, mapped: FieldMapping) -> str:
        """Lines that read the field; gives the expression of its value."""
        names = self.mapper.mapping.fields["name"].columns
        name_at = tuple(self.index[column] for column in names if column in self.index)
        read = build_reader(mapped, self.index, self.mapper.side, name_at)
        value = f"x{len(self.space)}"
        self._read(value, mapped, read)
        return f"'' if {value} is None else {value}" if name == "version" else value

    def _read(self, value: str, mapped: FieldMapping, read: FieldReader) -> None:
        at = self.index[mapped.columns[0]] if _reads_one_column(mapped) else None
        slow = f"f{value}"
        if at is None:
            self.space[slow] = read
            self.lines.append(f" {value} = {slow}(raw, found)")
            return
        quick = quick_readers(mapped)
        if quick is None:
            read, quick = _remembering(read, at, self.fields is not None)
        self.space |= {slow: read, f"q{value}": quick}
        self.lines.append(f" v = raw[{at}]")
        if mapped.default is None and mapped.spec.kind is not FieldKind.BOOLEAN:
            self.lines += [f" if v is None: {value} = None", " else:"]
        else:
            self.lines.append(" if True:")
        self.lines += [
            f"  quick = q{value}.get(type(v))",
            f"  {value} = None if quick is None else quick(v)",
            f"  if {value} is None: {value} = {slow}(raw, found)",
        ]

    def _class(self) -> list[str]:
        """The six fields of the class, read together and remembered by the code."""
        mapped = self.mapper.mapping.class_
        asked = [(at, name) for at, name in enumerate(CLASS_FIELDS) if self._asks(name)]
        read = class_reader(self.mapper.mapping, self.index, self.mapper.side) if asked else None
        if mapped is None or read is None:
            return [f"{name!r}: None" for _, name in asked]

        def values(raw: Raw, found: list[Issue]) -> tuple[Any, ...]:
            row: Row = dict.fromkeys(CLASS_FIELDS)
            read(raw, row, found)
            return tuple(row[name] for name in CLASS_FIELDS)

        at = self.index[mapped.column]
        slow, quick = _remembering(values, at, self.fields is not None) if mapped.name_column is None else (values, {})
        self.space |= {"read_class": slow, "quick_class": quick}
        self.lines += [
            f" v = raw[{at}]",
            " quick = quick_class.get(type(v))",
            " classed = None if quick is None else quick(v)",
            " if classed is None: classed = read_class(raw, found)",
        ]
        return [f"{name!r}: classed[{at}]" for at, name in asked]


def _reads_one_column(mapped: FieldMapping) -> bool:
    return mapped.read_columns == mapped.columns and len(mapped.columns) == 1 and not mapped.digest


def _remembering(
    read: Callable[[Raw, list[Issue]], Any], at: int, with_issues: bool
) -> tuple[Callable[[Raw, list[Issue]], Any], Map[type, Quick]]:
    """The reader of one column, and quick readers of what it has given before; `with_issues`: be there one or not."""
    memo: dict[Any, Any] = {}

    def read_and_remember(raw: Raw, found: list[Issue]) -> Any:
        issues = len(found)
        value = read(raw, found)
        if (with_issues or len(found) == issues) and type(raw[at]) in _MEMO_CLASSES and len(memo) < MEMO_MAX:
            memo[raw[at]] = value
        return value

    return read_and_remember, dict.fromkeys(_MEMO_CLASSES, memo.get)
