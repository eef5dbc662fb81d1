"""Documents are parsed, bounded and validated before anything else happens."""

from __future__ import annotations

import pytest
from graphql import build_schema

from gateway.language.errors import RequestRefused
from gateway.pipeline.document import DocumentLimits, Documents

SCHEMA = build_schema("type Query { a: Query b(x: Int): Int c: [Query] } type Subscription { s: Query t: Query }")


def refused(text: str, limits: DocumentLimits | None = None) -> str:
    with pytest.raises(RequestRefused) as caught:
        Documents(SCHEMA, limits).read(text)
    return str(caught.value.errors[0].code)


def test_a_valid_document_is_parsed_once() -> None:
    documents = Documents(SCHEMA)
    assert documents.read("{ a { b } }") is documents.read("{ a { b } }")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ a { b }", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ a { ...Loop } } fragment Loop on Query { a { ...Loop } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ a { ...Missing } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + "a { " * 31 + "b" + " }" * 32, "OPERATION_TOO_COMPLEX"),
        ("{ " + "a { " * 3000 + "b" + " }" * 3001, "OPERATION_TOO_COMPLEX"),
        ("{ " + " ".join(f"x{i}: b" for i in range(201)) + " }", "OPERATION_TOO_COMPLEX"),
        ("{ " + "b " * 10_001 + " }", "OPERATION_TOO_COMPLEX"),
        ("{ b " + " " * 200_000 + " }", "OPERATION_TOO_COMPLEX"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    assert refused(text) == code


def test_a_bomb_of_nested_fragments_is_measured_without_being_unfolded() -> None:
    bomb = "{ ...F0 } " + " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(40))
    assert refused(bomb + " fragment F40 on Query { b }") == "OPERATION_TOO_COMPLEX"


@pytest.mark.parametrize("start", ["{ ...F0 }", "{ b }"])
def test_fragments_chained_deep_are_refused_and_not_followed_to_the_end_of_the_stack(start: str) -> None:
    chain = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} }}" for i in range(1000))
    assert refused(f"{start} {chain} fragment F1000 on Query {{ b }}") == "OPERATION_TOO_COMPLEX"


def test_a_refusal_is_kept_and_tells_the_same_again() -> None:
    documents = Documents(SCHEMA)
    told = []
    for _ in range(2):
        with pytest.raises(RequestRefused) as caught:
            documents.read("{ nothing }")
        told.append(caught.value.errors)
    assert told[0] == told[1]
    assert (told[0][0].locations[0].line, told[0][0].locations[0].column) == (1, 3)


def test_only_so_many_documents_are_kept() -> None:
    documents = Documents(SCHEMA, DocumentLimits(kept_max=2))
    first = documents.read("{ b }")
    documents.read("{ a { b } }")
    assert documents.read("{ b }") is first
    documents.read("{ c { b } }")
    assert documents.read("{ b }") is first
    assert len(documents._kept) == 2


@pytest.mark.parametrize(
    "subscription",
    [
        "subscription ($p: Boolean!) { s @skip(if: $p) { b } }",
        "subscription ($p: Boolean!) { ... @include(if: $p) { s { b } } }",
        "subscription ($p: Boolean!) { ...S } fragment S on Subscription { ...T @include(if: $p) } "
        "fragment T on Subscription { s { b } }",
        'subscription { s @skip(if: "no") { b } }',
        "subscription { s { b } t { b } }",
    ],
)
def test_a_subscription_has_one_root_field_whatever_variables_say(subscription: str) -> None:
    assert refused(subscription) == "GRAPHQL_VALIDATION_FAILED"


def test_below_its_root_field_a_subscription_may_have_conditions() -> None:
    assert Documents(SCHEMA).read("subscription ($p: Boolean!) { s { b @skip(if: $p) c @include(if: $p) { b } } }")
