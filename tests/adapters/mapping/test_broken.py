"""A broken mapping file is refused with a place and a remedy, however it is broken: never with a traceback."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mapping import MappingError, load_mapping, parse_mapping
from tests.adapters.mapping.test_fuzz import DATA
from tests.adapters.support import BARE
from tests.adapters.test_load import MAPPINGS, PATH

SAMPLES = [path.read_text(encoding="utf-8") for path in sorted(MAPPINGS.glob("*.toml"))]
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["", " ", "a", "*", "${X}", "1", "IN_USE", "null", "22:00-06:00", "\x00", "..", "a.b", 0, 1, -1, 10**30, True]),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.text(max_size=4),
)  # fmt: skip
KEYS = st.one_of(
    st.sampled_from(["column", "columns", "value", "expr", "codes", "in", "is", "field", "table", "key", "rows", "unit", "first", "case"]),
    st.text(max_size=4),
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2), max_leaves=4
)


def containers(data: Any) -> list[Any]:
    """Every table and list of a mapping, the innermost first."""
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    found = [place for item in inner for place in containers(item)]
    return [*found, data] if isinstance(data, dict | list) else found


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """A mapping in which a few things were taken away, replaced or added."""
    sample = draw(st.sampled_from(SAMPLES).map(tomllib.loads) | DATA)
    data: dict[str, Any] = copy.deepcopy(sample)
    for _ in range(draw(st.integers(1, 3))):
        places = containers(data)
        place = places[draw(st.integers(0, len(places) - 1))]
        keys: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys)) if keys and draw(st.booleans()) else None
        if key is not None and draw(st.booleans()):
            del place[key]
        elif key is not None:
            place[key] = draw(ANYTHING)
        elif isinstance(place, dict):
            place[draw(KEYS)] = draw(ANYTHING)
        else:
            place.append(draw(ANYTHING))
    return data


def check(error: MappingError) -> None:
    assert (error.where or error.file) and error.problem and error.remedy, str(error)


@given(broken())
@settings(max_examples=200, deadline=None)
def test_a_broken_mapping(data: dict[str, Any]) -> None:
    try:
        parse_mapping(data, PATH)
    except MappingError as error:
        check(error)


@pytest.mark.parametrize(
    ("engine", "key", "value"),
    [
        ("sqlite", "url", "\x00"),
        ("sqlite", "url", "\ud800"),
        ("sqlite", "encoding", "\x00"),
        ("sqlite", "encoding", "\ud800"),
        ("postgresql", "url", "http://["),
        ("postgresql", "url", "x://[::1"),
        ("mongodb", "url", "mongodb://[/x"),
    ],
)
def test_what_the_libraries_below_stumble_over(engine: str, key: str, value: str) -> None:
    data = {**copy.deepcopy(BARE), "store": {"engine": engine, "url": "x", key: value}}
    with pytest.raises(MappingError) as caught:
        parse_mapping(data, PATH)
    assert caught.value.where == f"store.{key}"
    check(caught.value)


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=80, deadline=None)
def test_a_broken_file(tmp_path_factory: Any, text: str, data: st.DataObject) -> None:
    lines = text.encode().splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    cut = data.draw(st.integers(0, len(lines[at])))
    lines[at] = lines[at][:cut] + data.draw(
        st.binary(max_size=3) | st.sampled_from([b"[", b'"', b"=", b"[[x]]\n", b"[" * 5000, b"9" * 5000])
    )
    path: Path = tmp_path_factory.getbasetemp() / "broken.toml"
    path.write_bytes(b"".join(lines))
    try:
        load_mapping(path)
    except MappingError as error:
        check(error)
        is_named = "broken.toml" in str(error)
    else:
        is_named = True
    assert is_named
