from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language.selections import (
    FieldSetSyntaxError,
    canonical_field_set,
    field_paths,
    make_field,
    make_inline_fragment,
    make_selection_set,
    merge_selection_sets,
    parse_field_set,
    print_selection_set,
)


def test_a_field_set_prints_on_one_line() -> None:
    text = "id owner { id ... on Unit { name(short: true) } }"
    assert print_selection_set(parse_field_set("\n id\n owner{id ...on Unit{name(short:true)}}")) == text


def test_braces_around_the_whole_are_allowed() -> None:
    assert print_selection_set(parse_field_set("{ id }")) == "id"


@pytest.mark.parametrize("text", ["", "id {", "id } { id", "} {", "{", "...F }"])
def test_what_is_no_field_set_is_refused(text: str) -> None:
    with pytest.raises(FieldSetSyntaxError):
        parse_field_set(text)


def test_merging_selects_what_all_select() -> None:
    merged = merge_selection_sets([parse_field_set("a b { c }"), parse_field_set("b { d } a e(x: 1) e(x: 2)")])
    assert print_selection_set(merged) == "a b { c d } e(x: 1) e(x: 2)"


def test_field_sets_that_say_the_same_have_one_canonical_text() -> None:
    one, other = (
        parse_field_set("b { d c } a(y: 2, x: 1) a(y: 2, x: 1)"),
        parse_field_set("a(x: 1, y: 2) b { c } b { d }"),
    )
    assert canonical_field_set(one) == canonical_field_set(other) == "a(x: 1, y: 2) b { c d }"


def test_leaves_as_ways() -> None:
    assert list(field_paths(parse_field_set("a b { c ... on T { d } }"))) == [("a",), ("b", "c"), ("b", "d")]


def test_selections_made_by_hand() -> None:
    inner = make_selection_set([make_field("id", alias="key")])
    made = make_selection_set([make_inline_fragment("T", inner), make_field("owner", inner)])
    assert print_selection_set(made) == "... on T { key: id } owner { key: id }"


NAMES = st.sampled_from(["a", "b", "c", "d"])
FIELD_SETS = st.recursive(
    st.lists(NAMES, min_size=1, max_size=4).map(" ".join),
    lambda inner: st.lists(st.one_of(NAMES, st.builds("{} {{ {} }}".format, st.just("o"), inner)), min_size=1).map(
        " ".join
    ),
    max_leaves=6,
)


@given(FIELD_SETS)
def test_printing_and_reading_lose_nothing(text: str) -> None:
    selections = parse_field_set(text)
    assert parse_field_set(print_selection_set(selections)) == selections


@given(st.lists(FIELD_SETS, min_size=1, max_size=4))
def test_merging_is_idempotent_and_keeps_every_leaf(texts: list[str]) -> None:
    sets = [parse_field_set(text) for text in texts]
    merged = merge_selection_sets(sets)
    assert merge_selection_sets([merged, merged]) == merged
    assert {path for one in sets for path in field_paths(one)} >= set(field_paths(merged))
