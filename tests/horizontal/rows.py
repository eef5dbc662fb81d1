"""Rows that are hard to put in order, and hypothesis strategies that make them and spread them over depots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias
from urllib.parse import quote

from hypothesis import strategies as st

from tests.horizontal.contract import GRADES

__all__ = ["CODES", "FIELDS", "Filter", "Order", "Row", "filters", "orders", "rows", "rows_of", "spread"]

CODES = ("0", "10", "2", "9", "A", "B", "Z", "a", "a-1", "b", "m", "x", "xy", "z")
"""Regions: digits that are no numbers, upper and lower case, one the beginning of another."""
ROWS_MAX = 36

Order: TypeAlias = tuple[tuple[str, str], ...]
"""(`LotOrderField`, direction), the first first."""
Filter: TypeAlias = dict[str, Any]
"""As a client writes it."""
FIELDS = {"NAME": "name", "PRICE": "price", "COUNT": "count", "MADE": "made", "SEEN": "seen", "GRADE": "grade"}
DIRECTIONS = ("ASC", "DESC")


@dataclass(frozen=True)
class Row:
    """A lot, as its depot's store holds it: every value as it is written there."""

    depot: str
    key: int | str
    """The native key; a depot has keys of one kind only."""
    name: str | None = None
    price: str | None = None
    count: int | None = None
    made: str | None = None
    seen: str | None = None
    grade: str | None = None

    @property
    def id(self) -> str:
        return f"lot:{self.depot}:{quote(str(self.key), safe='')}"


# Values: ties and nulls are frequent, and each of the others is a trap for some store or some comparison.

_TRAPS = (
    "", " ", "a", "a ", "a\t", "a\u3000", "A", "\uff21", "b", "B", "ab",
    "\u00e9", "e\u0301", "ss", "\u00df", "\ufb03", "i", "\u0130", "\u0131", "10", "9", "-1",
    "中", "中文", "仓", "倉", "〇", "\ue000", "\uffee", "𠀀", "😀", "😀a", "👩\u200d🔬", "'", "%", "_", "\\", "\n",
)  # fmt: skip
_ALPHABET = "aAbzé\u0301ß中文仓𠀀😀 \uffee09-"

_names = st.none() | st.sampled_from(_TRAPS) | st.text(alphabet=_ALPHABET, max_size=3)


@st.composite
def _written_decimals(draw: st.DrawFn) -> str:
    """One value in one of its spellings: zeros before it and behind it."""
    sign = draw(st.sampled_from(("", "", "-")))
    digits = draw(st.sampled_from(("0", "1", "7", "10", "99", "9" * 17, "9" * 30, "1" + "0" * 39)))
    fraction = draw(st.sampled_from(("", "", "5", "50", "05", "499999999999999999999")))
    zeros = "0" * draw(st.integers(0, 2))
    end = "0" * draw(st.integers(0, 2)) if fraction else draw(st.sampled_from(("", ".0", ".00")))
    return f"{sign}{zeros}{digits}{'.' if fraction else ''}{fraction}{end}"


_prices = st.none() | st.sampled_from(("0", "0.00", "-0", "1.5", "1.50", "12.30", "-3.50")) | _written_decimals()
_counts = st.none() | st.sampled_from((0, 0, 1, 5, 5, -1, 900, 30_000_000, -30_000_000))
_dates = st.none() | st.sampled_from(("2024-02-29", "2024-03-01")) | st.dates(date(1, 1, 1)).map(date.isoformat)
_times = (
    st.none()
    | st.sampled_from(("2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z"))
    | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda one: f"{one:%Y-%m-%dT%H:%M:%S}Z")
)
_grades = st.none() | st.sampled_from(GRADES)


def _keys(depot: str) -> st.SearchStrategy[int | str]:
    if CODES.index(depot) % 2:
        return st.text(alphabet=_ALPHABET + ":%", min_size=1, max_size=3)
    return st.integers(-20, 200)


def rows_of(depot: str) -> st.SearchStrategy[Row]:
    return st.builds(Row, st.just(depot), _keys(depot), _names, _prices, _counts, _dates, _times, _grades)


def rows(depots: tuple[str, ...], *, max_size: int = ROWS_MAX) -> st.SearchStrategy[list[Row]]:
    """Rows spread over these depots, as chance has it; some depots stay empty."""
    one = st.sampled_from(depots).flatmap(rows_of)
    return st.lists(one, max_size=max_size, unique_by=lambda row: (row.depot, row.key))


@st.composite
def spread(draw: st.DrawFn) -> tuple[tuple[str, ...], list[Row]]:
    """One to fourteen depots, and all their rows."""
    depots = tuple(sorted(draw(st.sets(st.sampled_from(CODES), min_size=1))))
    return depots, draw(rows(depots))


def orders(*, min_size: int = 0) -> st.SearchStrategy[Order]:
    term = st.tuples(st.sampled_from(sorted(FIELDS)), st.sampled_from(DIRECTIONS))
    return st.lists(term, min_size=min_size, max_size=3).map(tuple)


@st.composite
def filters(draw: st.DrawFn, depots: tuple[str, ...], all_rows: list[Row]) -> Filter | None:
    """None, or conditions that often hold for some of the rows."""
    ids = st.sampled_from([row.id for row in all_rows] or [f"lot:{depots[0]}:0"])
    conditions: dict[str, st.SearchStrategy[Any]] = {
        "depot": st.sampled_from(depots).map(lambda one: {"eq": one})
        | st.lists(st.sampled_from(depots)).map(lambda some: {"in": some}),
        "name": st.sampled_from([row.name for row in all_rows if row.name is not None] or ["a"]),
        "grade": st.sampled_from(GRADES),
        "countMin": st.sampled_from((0, 5, 900)),
        "isPriced": st.booleans(),
        "id": st.lists(ids, max_size=4).map(lambda some: {"in": some}),
    }
    names = draw(st.sets(st.sampled_from(sorted(conditions)), max_size=2))
    return {name: draw(conditions[name]) for name in sorted(names)} or None
