from __future__ import annotations

from tests.gateway.composition.composing import error, errors, group

ROWS = """
type Row @key(fields: "id") @partitioned(key: "id", segment: 1) {{ id: ID! }}
input Filter {{ region: RegionFilter }}
input RegionFilter {{ eq: ID in: [ID!] }}
type Query {{ rows(filter: Filter, order: String): [Row] @gather(as: LIST, {}) }}
"""


def test_a_prune_path_that_leads_nowhere() -> None:
    found = error(a=group(ROWS.format('prune: ["filter.region.near"]')))
    assert found.code == "PARTITION_ARGUMENT_UNKNOWN"
    assert '"filter.region.near"' in found.message


def test_an_order_argument_that_is_not_there() -> None:
    assert error(a=group(ROWS.format('order: "orderBy"'))).code == "PARTITION_ARGUMENT_UNKNOWN"


def test_a_route_argument_that_is_not_there() -> None:
    found = error(a=group('type Query { n(id: ID!): Int @route(argument: "key") }'))
    assert found.code == "PARTITION_ARGUMENT_UNKNOWN"


def test_a_wish_that_is_not_there() -> None:
    assert error(a=group(ROWS.format('wish: "wish"'))).code == "PARTITION_ARGUMENT_UNKNOWN"


def test_an_idempotency_key_that_is_not_there() -> None:
    change = """
    type Query { n: Int @gather(as: ONE) }
    type Mutation { change(id: ID!): Int @route(argument: "id", idempotencyKey: "input.key") }
    """
    found = error(a=group(change))
    assert (found.code, '"input.key"' in found.message) == ("PARTITION_ARGUMENT_UNKNOWN", True)


def test_paths_that_lead_somewhere() -> None:
    assert not errors(a=group(ROWS.format('order: "order", prune: ["filter.region.eq", "filter.region.in"]')))


def test_a_gathered_entity_may_be_pruned_by_what_it_requires() -> None:
    view = """
    type Query {{ n: [Int] @gather(as: LIST) }}
    scalar Rule
    type View @key(fields: "id") {{
      id: ID!
      rule: Rule @external
      rows: [Int] @requires(fields: "rule") @gather(as: LIST, prune: ["{}.regions"])
    }}
    """
    owner = 'scalar Rule type View @key(fields: "id") { id: ID! rule: Rule }'
    assert not errors(a=group(view.format("rule")), b=owner)
    assert error(a=group(view.format("rules")), b=owner).code == "PARTITION_ARGUMENT_UNKNOWN"
