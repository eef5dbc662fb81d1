from __future__ import annotations

from tests.gateway.composition.composing import codes, error, errors

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",'
    ' import: ["@key", "@external", "@requires", "@authenticated", "@requiresScopes"])\n'
)


def subgraphs(owner: str, requiring: str) -> dict[str, str]:
    return {
        "a": LINK + f'type Query {{ p: P }} type P @key(fields: "id") {{ id: ID salary: Int {owner} }}',
        "b": LINK
        + f"""
        type P @key(fields: "id") {{
          id: ID salary: Int @external
          tax: Int @requires(fields: "salary") {requiring}
        }}
        """,
    }


def test_what_is_required_may_not_leak_to_who_may_not_see_it() -> None:
    found = error(**subgraphs("@authenticated", ""))
    assert found.code == "MISSING_TRANSITIVE_AUTH_REQUIREMENTS"
    assert '"P.tax"' in found.message and '"P.salary"' in found.message


def test_the_same_demand_is_enough() -> None:
    assert not errors(**subgraphs("@authenticated", "@authenticated"))


def test_each_way_to_see_the_field_must_be_one_to_see_what_it_requires() -> None:
    owner = '@requiresScopes(scopes: [["pay"], ["audit"]])'
    assert not errors(**subgraphs(owner, '@requiresScopes(scopes: [["pay", "tax"]])'))
    leaking = subgraphs(owner, '@requiresScopes(scopes: [["pay", "tax"], ["tax"]])')
    assert codes(**leaking) == {"MISSING_TRANSITIVE_AUTH_REQUIREMENTS"}


def test_the_type_demands_of_all_its_fields_alike() -> None:
    found = subgraphs("@authenticated", "")
    found["b"] = found["b"].replace('@key(fields: "id") {', '@key(fields: "id") @authenticated {')
    assert not errors(**found)
