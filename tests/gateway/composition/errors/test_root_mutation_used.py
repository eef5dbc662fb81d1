from __future__ import annotations

from tests.gateway.composition.composing import error, errors


def test_a_type_that_takes_the_name_of_the_root() -> None:
    found = error(
        a="schema { query: Q mutation: MyMutation } type Q { a: Int } type MyMutation { b: Int } type Mutation { c: Int }",
    )
    assert found.code == "ROOT_MUTATION_USED"


def test_roots_may_have_other_names() -> None:
    assert not errors(
        a="schema { query: Q mutation: MyMutation } type Q { a: Int } type MyMutation { b: Int }",
    )
