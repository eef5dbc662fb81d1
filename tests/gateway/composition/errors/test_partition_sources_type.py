from __future__ import annotations

import pytest

from tests.gateway.composition.composing import error, errors, group

SOURCES = """
type Query {{ total: Total @gather(as: FOLD) }}
type Total {{ sources: [Source!] @gather(as: SOURCES) }}
enum State {{ OK STALE UNAVAILABLE OUTDATED LATE }}
enum OldState {{ OK UNAVAILABLE }}
scalar DateTime
type Source {{ {} }}
"""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("region: ID!", '"Source" lacks the field "status"'),
        ("status: State!", '"Source" lacks the field "region"'),
        ("region: Int! status: State!", "its type is String or ID."),
        ("region: [ID!] status: State!", '"region" is filled in'),
        ("region: ID! status: OldState!", '"OldState" lacks STALE and OUTDATED'),
        ("region: ID! status: Boolean", "String or an enum of OK, STALE, UNAVAILABLE and OUTDATED"),
        ("region: ID! status: State! latencyMs: Int", '"latencyMs" is filled in'),
        ("region: ID! status: State! latencyMs: Float!", '"Source.latencyMs" must be nullable'),
        ("region: ID! status: State! shelves: Int!", '"Source.shelves" must be nullable'),
    ],
)
def test_what_the_gateway_could_not_fill_in(fields: str, said: str) -> None:
    found = error(a=group(SOURCES.format(fields)))
    assert found.code == "PARTITION_SOURCES_TYPE"
    assert said in found.message


@pytest.mark.parametrize(
    "fields",
    [
        "region: ID! status: State!",
        "region: String! name: String! status: String! latencyMs: Float asOf: DateTime shelves: Int",
    ],
)
def test_what_it_can(fields: str) -> None:
    assert not errors(a=group(SOURCES.format(fields)))
