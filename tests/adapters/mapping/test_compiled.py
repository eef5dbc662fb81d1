"""The compiled mapper equals the interpreted one: any value in any column, any set of fields, any mapping of the city."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.canonical import CANONICAL_FIELDS
from adapters.mapping import RowMapper, load_mapping
from adapters.mapping.compiled import MEMO_MAX, CompiledMapper, native_columns
from adapters.mapping.fields import SideTables
from adapters.mapping.mapper import Fate, Mapped
from adapters.mapping.model import Mapping

MAPPINGS = sorted((Path(__file__).parents[3] / "subgraphs" / "sample_city" / "mappings").glob("*.toml"))
TODAY = date(2026, 11, 26)

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.sampled_from(
        ["", " ", "　", "0", "1", " 1 ", "a ", "ａｂ", "台式电脑3台", "°ì¹«×À", "办公桌\ufffd", "Ａ02010105"]
    ),
    st.from_regex(r"\A[+-]?[0-9]{0,4}(\.[0-9]{0,3})?\Z"),
    st.from_regex(r"\A[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}Z?)?\Z"),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.isoformat(" ", "seconds")),
)
numbers = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-3, 3000),
    st.booleans(),
    st.floats(allow_nan=True),
    st.decimals(-1000, 10_000_000, places=2).flatmap(lambda value: st.sampled_from([value, float(value)])),
    st.decimals(allow_nan=False),
    st.sampled_from([0.0, -0.0, 1e13, 9999999999999.99, 1e-4, 0.001, 0.1 + 0.2, 1e22, 5e-324, 123456789012345.67]),
    st.sampled_from(
        [Decimal("1E+3"), Decimal("0.00"), Decimal("-0.00"), Decimal("007.50"), Decimal("NaN"), Decimal("1.0")]
    ),
)
others = st.one_of(
    st.none(), st.binary(max_size=3), st.dates(), st.datetimes(), st.just(datetime(2026, 1, 1, tzinfo=UTC))
)


def told_apart(value: Any) -> str:
    """1, True and 1.0 are equal, and not the same."""
    return repr(value)


def outcome(work: Callable[[], Any]) -> Any:
    """What comes of it; what the interpreted mapper does not survive, the compiled one must not either."""
    try:
        return work()
    except (OverflowError, ArithmeticError, ValueError) as error:
        return type(error)


def words_of(mapping: Mapping) -> list[str]:
    """Values that the mapping itself speaks of: codes, what is open, what is empty, keys of side tables."""
    words = {"K1", "U1", "A02010105", "A02010104", *mapping.secrecy.open}
    for mapped in mapping.fields.values():
        words |= {*(mapped.codes or ()), *mapped.spec.values, *mapped.empty}
        words |= {value for case in mapped.cases for value in case.when.values}
    return sorted(words)


def side_of(mapping: Mapping) -> SideTables:
    entries = {word: (word, None) for word in words_of(mapping)} | {"1": (None, None)}
    unit = {"native": "U1", "name": "一", "uscc": None}
    keys = ("U1", "K1", "1", "91330100799655058B")
    return SideTables(dict.fromkeys(mapping.lookups, entries), dict.fromkeys(keys, unit), dict.fromkeys(keys, unit))


@pytest.fixture(scope="module", params=MAPPINGS, ids=lambda path: path.stem)
def mapper(request: pytest.FixtureRequest) -> RowMapper:
    mapping = load_mapping(request.param)
    return RowMapper(mapping, side_of(mapping), TODAY)


def rows(mapping: Mapping) -> st.SearchStrategy[tuple[Any, ...]]:
    likely = st.sampled_from(words_of(mapping))
    value = st.one_of(likely, texts, numbers, others)
    return st.tuples(*[value] * len(mapping.columns))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whole_rows_equal_the_interpreted_mapper(mapper: RowMapper, data: st.DataObject) -> None:
    compiled = CompiledMapper(mapper)
    assert compiled.columns == mapper.mapping.columns
    raws = data.draw(st.lists(rows(mapper.mapping), max_size=4))
    wanted = outcome(lambda: [mapper.map(raw) for raw in raws])
    for _ in range(2):  # the second time by what was remembered
        found = outcome(lambda: compiled.map(raws))
        assert found is wanted or list(map(comparable, found)) == list(map(comparable, wanted))


def comparable(mapped: Mapped) -> str:
    """All of it, whatever the order of the row's keys."""
    assert mapped.row is not None
    return told_apart([mapped.fate, mapped.native, mapped.issues, sorted(mapped.row.items())])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_some_fields_equal_those_of_the_whole_row(mapper: RowMapper, data: st.DataObject) -> None:
    mapping = mapper.mapping
    fields = data.draw(st.frozensets(st.sampled_from([name for name in CANONICAL_FIELDS if name != "observedAt"])))
    compiled = CompiledMapper(mapper, fields)
    assert compiled.columns == native_columns(mapping, fields)
    raws = data.draw(st.lists(rows(mapping), min_size=1, max_size=4))
    mapped = outcome(lambda: [mapper.map(raw) for raw in raws])
    if isinstance(mapped, type):
        return
    listed = [(raw, one) for raw, one in zip(raws, mapped, strict=True) if one.fate is Fate.LISTED]
    narrow = [tuple(raw[mapping.columns.index(column)] for column in compiled.columns) for raw, _ in listed]
    for _ in range(2):
        found, natives = compiled.rows(narrow)
        assert told_apart(natives) == told_apart([one.native for _, one in listed])
        asked = {*fields, "native"} if "issues" not in fields else {*CANONICAL_FIELDS, "native", "issues"}
        assert told_apart([sorted(row.items()) for row in found]) == told_apart(
            [sorted((name, value) for name, value in one.row.items() if name in asked) for _, one in listed]
        )


def test_a_column_of_very_many_values_is_remembered_only_so_far() -> None:
    mapping = load_mapping(MAPPINGS[0])
    mapper = RowMapper(mapping, SideTables(), TODAY)
    compiled = CompiledMapper(mapper, frozenset(("usefulLifeMonths",)))
    place = compiled.columns.index("useful_life_months")
    raws = [tuple(m if at == place else "k" for at in range(len(compiled.columns))) for m in range(MEMO_MAX + 10)]
    for _ in range(2):
        assert [row["usefulLifeMonths"] for row in compiled.rows(raws)[0]] == list(range(MEMO_MAX + 10))
