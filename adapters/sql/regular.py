"""Regular rows: those of which the store's own language says the same as the mapper.

A value is *regular* where nothing has to be cleaned, repaired or judged: a text without blanks at its ends, a finite
number, a date of the calendar. These conditions say so in SQL, a little too strictly rather than too loosely: a row
that they leave out is an *irregular* one, mapped and judged by us (`adapters.sql.facts`), so nothing is lost.

All of them stand together in one `CASE … <> 0`, which no planner takes for a condition that leaves few rows.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapters.mapping.numbers import FRACTION_DIGITS_MAX, INTEGER_DIGITS_MAX
from adapters.mapping.values import TRIMMED
from adapters.sql.columns import ColumnKind, NativeColumn

__all__ = ["holds", "regular_amount", "regular_day", "regular_number", "regular_text"]

_SAFE_SMALL, _SAFE_LARGE = 1e-10, 1e39
"""Between these a binary fraction's spelling is surely read as a number (`mapping.numbers`: 40 digits and 28)."""
_TOO_LARGE = "1" + "0" * INTEGER_DIGITS_MAX
_AMOUNT = r"^[+-]?[0-9]{1,40}(\.[0-9]{0,20})?$"
_ISO_DAY = "^[1-9][0-9]{3}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$"
_COMPACT_DAY = _ISO_DAY.replace("-(0", "(0").replace(")-(", ")(").replace(")-31", ")31").replace("{3}-(", "{3}(")
_WIDE = "\u4e00-\u9fff"
"""What stays as it is under NFKC, besides ASCII; there is more, but this is what stores hold."""
_MOJIBAKE = "\x80-\xff\ufffd"


def holds(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition as one that planners take to hold for nearly every row."""
    return sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0")) != sa.literal_column("0")


def regular_text(column: NativeColumn, *, width: bool = False, mojibake: bool = False) -> sa.ColumnElement[bool]:
    """Null, or a text that trimming (and the cleanings asked for) leaves as it is."""
    sql = column.sql
    if column.engine == "sqlite":
        conditions = [
            sa.func.typeof(sql) == "text",
            sa.func.trim(sql, TRIMMED) == sql,
            sa.func.instr(sql, sa.func.char(0)) == 0,
        ]
        if width:
            conditions.append(sa.not_(sql.op("GLOB", is_comparison=True)(f"*[^ -~{_WIDE}]*")))
        if mojibake:
            conditions.append(sa.not_(sql.op("GLOB", is_comparison=True)(f"*[{_MOJIBAKE}]*")))
        return sa.or_(sql.is_(None), sa.and_(*conditions))
    if column.engine == "postgresql":
        conditions = [sa.func.btrim(sql, sa.literal(TRIMMED, sa.Text)) == sql]
        if width:
            conditions.append(sql.op("!~", is_comparison=True)(sa.literal(f"[^ -~{_WIDE}]", sa.Text)))
        if mojibake:
            conditions.append(sql.op("!~", is_comparison=True)(sa.literal(f"[{_MOJIBAKE}]", sa.Text)))
        return sa.or_(sql.is_(None), sa.and_(*conditions))
    blank = "".join(map(_escaped, TRIMMED))
    bad = [rf"^[{blank}]", rf"[{blank}]\z", r"[\x{0}-\x{1f}]"]
    if width:
        bad.append(r"[^ -~\x{4e00}-\x{9fff}]")
    if mojibake:
        bad.append(r"[\x{80}-\x{ff}\x{fffd}]")
    found = sa.cast(sql, sa.CHAR).op("REGEXP", is_comparison=True)("|".join(bad))
    return sa.or_(sql.is_(None), sa.not_(found))


def _escaped(char: str) -> str:
    return rf"\x{{{ord(char):x}}}"


def regular_number(column: NativeColumn) -> sa.ColumnElement[bool]:
    """Null, or a number that the mapper reads as this number."""
    sql = column.sql
    if column.engine == "sqlite":
        kind, size = sa.func.typeof(sql), sa.func.abs(sql)
        safe = sa.and_(size >= sa.literal(_SAFE_SMALL), size <= sa.literal(_SAFE_LARGE))
        return sa.or_(kind.in_(["integer", "null"]), sa.and_(kind == "real", sa.or_(sql == sa.literal(0.0), safe)))
    if column.kind is ColumnKind.FLOAT:
        size = sa.func.abs(sql)
        safe = sa.and_(
            size >= sa.literal(_SAFE_SMALL, sa.types.NULLTYPE), size <= sa.literal(_SAFE_LARGE, sa.types.NULLTYPE)
        )
        return sa.or_(sql.is_(None), sql == sa.literal_column("0"), safe)
    if column.kind is ColumnKind.DECIMAL:
        cut = sa.func.trunc if column.engine == "postgresql" else sa.func.truncate
        held = sa.and_(sa.func.abs(sql) < sa.literal_column(_TOO_LARGE), cut(sql, FRACTION_DIGITS_MAX) == sql)
        if column.engine != "postgresql":
            return sa.or_(sql.is_(None), held)
        finite = sa.cast(sql, sa.Text).not_in(["NaN", "Infinity", "-Infinity"])
        return sa.or_(sql.is_(None), sa.and_(finite, held))
    return sa.true()


def regular_amount(column: NativeColumn) -> sa.ColumnElement[bool]:
    """Null, or surely readable as an amount; of texts too."""
    if column.kind in (ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.FLOAT):
        return regular_number(column)
    if column.kind is not ColumnKind.TEXT:
        return column.sql.is_(None)
    sql = column.sql
    if column.engine == "sqlite":
        return sa.or_(sql.is_(None), sa.func.gwc_is_amount(sql) == 1)
    return sa.or_(sql.is_(None), sql == "", _matches(column, _AMOUNT))


def regular_day(column: NativeColumn, form: str) -> sa.ColumnElement[bool]:
    """Null, or a day of the calendar: as the engine's date, or spelled as `form` (`iso`, `compact`)."""
    sql = column.sql
    if column.kind is ColumnKind.DAY and column.engine != "sqlite":
        return _calendar(column)
    if column.kind is ColumnKind.MOMENT:
        return _calendar(column)
    if column.engine == "sqlite" and form == "iso":
        valid = sa.and_(sa.func.typeof(sql) == "text", _day_of(sql) == sql, sa.func.substr(sql, 1, 4) != "0000")
        return sa.or_(sql.is_(None), valid)
    if column.engine == "sqlite":
        text = sa.cast(sql, sa.Text)
        spelled = sa.func.substr(text, 1, 4) + "-" + sa.func.substr(text, 5, 2) + "-" + sa.func.substr(text, 7)
        wanted = "integer" if column.kind is ColumnKind.INTEGER else "text"
        valid = sa.and_(sa.func.typeof(sql) == wanted, _day_of(spelled) == spelled, text > "0001")
        return sa.or_(sql.is_(None), valid)
    return sa.or_(sql.is_(None), _matches(column, _ISO_DAY if form == "iso" else _COMPACT_DAY))


def _day_of(sql: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """SQLite's own day of a text; without a modifier it takes 2021-02-29 for one."""
    return sa.func.date(sql, "+0 days")


def _calendar(column: NativeColumn) -> sa.ColumnElement[bool]:
    sql = column.sql
    if column.engine == "postgresql":
        return sa.or_(sql.is_(None), sql.between(sa.text("DATE '0001-01-01'"), sa.text("TIMESTAMP '9999-12-30'")))
    parts = [sa.func.year(sql) > 0, sa.func.month(sql) > 0, sa.func.dayofmonth(sql) > 0]
    return sa.or_(sql.is_(None), sa.and_(*parts, sql < sa.literal_column("'9999-12-31'")))


def _matches(column: NativeColumn, pattern: str) -> sa.ColumnElement[bool]:
    text: sa.ColumnElement[Any] = column.sql if column.kind is ColumnKind.TEXT else sa.cast(column.sql, sa.Text)
    if column.engine == "postgresql":
        return text.op("~", is_comparison=True)(sa.literal(pattern, sa.Text))
    if column.kind is not ColumnKind.TEXT:
        text = sa.cast(column.sql, sa.CHAR)
    return text.op("REGEXP", is_comparison=True)(pattern.replace("$", r"\z"))
