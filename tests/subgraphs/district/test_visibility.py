"""Who sees what: rows, personal fields, unpublished fields, raw rows; and what a condition may not give away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.model import Issue, QuarantinedRow
from contract.cursors import Cursor, encode_cursor, shape_hash
from contract.identity import ANONYMOUS, Identity, Role, TokenIssuer, generate_key_pair
from contract.order import Kind
from tests.subgraphs.district.parts import (
    AUDITOR,
    CITY,
    FOREIGN_OFFICER,
    OFFICER,
    OTHER_UNIT,
    OWN_UNIT,
    REGION,
    SERVICE,
    MemoryClient,
    MemoryStore,
    district,
    row,
)

FINANCE = Identity(person="finance", region=REGION, roles=frozenset({Role.FINANCE}))
SHARED = {"shared", "shared-long"}
OWN = {"own", "own-old"}
ALL = SHARED | OWN | {"closed", "over"}
ROWS = [
    row("shared", owner="U2"),
    row("shared-long", owner="U2", shareableUntil="2026-12-01"),
    row("over", owner="U2", shareableUntil="2026-11-24"),
    row("closed", owner="U2", shareable=False),
    row("own", owner="U1", shareable=False),
    row("own-old", owner="U9", shareable=False),
]
BAD: Issue = {"code": "DUPLICATE_KEY", "field": None, "raw": "王小明", "rule": "key", "blocking": True}
LESSER: Issue = {
    "code": "ZERO_DATE",
    "field": "acquiredOn",
    "raw": "00000000",
    "rule": "fields.acquiredOn",
    "blocking": False,
}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[MemoryClient]:
    rows = [{**one, "issues": [LESSER]} for one in ROWS]
    quarantined = [QuarantinedRow((f"q{n}",), {"xm": f"王小明{n}"}, [BAD]) for n in range(3)]
    async with district(tmp_path, MemoryStore(rows, quarantined=quarantined)) as client:
        yield client


@pytest.mark.parametrize(
    ("identity", "seen"),
    [
        (ANONYMOUS, SHARED),
        (OTHER_UNIT, SHARED),
        (FOREIGN_OFFICER, SHARED),
        (OWN_UNIT, SHARED | OWN),
        (OFFICER, ALL),
        (FINANCE, ALL),
        (CITY, ALL),
        (AUDITOR, ALL),
        (SERVICE, ALL),
    ],
    ids=["anonymous", "other unit", "foreign officer", "own unit", "officer", "finance", "city", "auditor", "service"],
)
async def test_rows_are_the_same_however_one_asks(client: MemoryClient, identity: Identity, seen: set[str]) -> None:
    """A page, a count, a sum, facets, a lookup and an entity all show the same rows."""
    data = await client.data(
        """{ assets(first: 50) { totalCount nodes { id } facets(fields: [STATUS]) { count } }
             summary(by: [STATUS]) { groups { count } } }""",
        None,
        identity,
    )
    assert {node["id"].rsplit(":", 1)[1] for node in data["assets"]["nodes"]} == seen
    assert data["assets"]["totalCount"] == len(seen)
    assert sum(facet["count"] for facet in data["assets"]["facets"]) == len(seen)
    assert sum(group["count"] for group in data["summary"]["groups"]) == len(seen)
    for native in ALL:
        id_ = f"asset:{REGION}:{native}"
        one = await client.data("query One($id: ID!) { asset(id: $id) { id } }", {"id": id_}, identity)
        assert (one["asset"] is not None) == (native in seen)
        entities = await client.data(
            "query E($of: [_Any!]!) { _entities(representations: $of) { ... on Asset { name } } }",
            {"of": [{"__typename": "Asset", "id": id_}]},
            identity,
        )
        assert (entities["_entities"] != [None]) == (native in seen)


@pytest.mark.parametrize(
    ("identity", "keeper"),
    [
        (ANONYMOUS, None),
        (FOREIGN_OFFICER, None),
        (OTHER_UNIT, None),
        (CITY, None),
        (AUDITOR, None),
        (OFFICER, "王保管"),
    ],
)
async def test_the_keeper_is_personal(client: MemoryClient, identity: Identity, keeper: str | None) -> None:
    query = f'{{ asset(id: "asset:{REGION}:shared") {{ keeper user }} }}'
    shown = (await client.data(query, None, identity))["asset"]
    assert shown == {"keeper": keeper, "user": keeper and "赵使用"}


async def test_the_own_unit_sees_its_keepers_and_no_others(client: MemoryClient) -> None:
    data = await client.data("{ assets(first: 50) { nodes { id keeper } } }", None, OWN_UNIT)
    shown = {node["id"].rsplit(":", 1)[1]: node["keeper"] for node in data["assets"]["nodes"]}
    assert {native for native, keeper in shown.items() if keeper is not None} == OWN


async def test_the_catalogue_shows_no_more_than_is_published(client: MemoryClient) -> None:
    query = f'{{ asset(id: "asset:{REGION}:shared") {{ name serialNumber location legacyClass {{ code }} issues {{ code }} }} }}'
    nothing: dict[str, Any] = {"serialNumber": None, "location": None, "legacyClass": None, "issues": []}
    assert (await client.data(query))["asset"] == {"name": "台式电脑", **nothing}
    signed_in = (await client.data(query, None, OTHER_UNIT))["asset"]
    assert signed_in["serialNumber"] == "SN-shared"
    assert signed_in["issues"] == [{"code": "ZERO_DATE"}]


@pytest.mark.parametrize(
    "filter_",
    [
        {"serialNumber": {"eq": "SN-shared"}},
        {"or": [{"not": {"hasIssues": True}}]},
        {"and": [{"or": [{"serialNumber": {"isNull": False}}]}]},
    ],
)
async def test_no_condition_tells_what_the_catalogue_hides(client: MemoryClient, filter_: dict[str, Any]) -> None:
    query = "query F($filter: AssetFilter) { assets(filter: $filter) { totalCount } }"
    assert await client.code(query, {"filter": filter_}) == "FORBIDDEN"
    assert (await client.data(query, {"filter": filter_}, OTHER_UNIT))["assets"]["totalCount"] >= 0


async def test_raw_values_are_for_the_regions_officers(client: MemoryClient) -> None:
    query = f'{{ asset(id: "asset:{REGION}:shared") {{ issues {{ raw }} }} }}'
    assert (await client.data(query, None, OFFICER))["asset"]["issues"] == [{"raw": "00000000"}]
    assert (await client.data(query, None, CITY))["asset"]["issues"] == [{"raw": None}]


QUARANTINE = """query Q($first: Int! = 2, $after: String) { dataQuality { quarantine(first: $first, after: $after) {
  nodes { raw issues { code raw } } pageInfo { hasNextPage endCursor } } } }"""


async def test_quarantine_is_paged_for_the_regions_officers(client: MemoryClient) -> None:
    first = (await client.data(QUARANTINE, None, OFFICER))["dataQuality"]["quarantine"]
    assert first["pageInfo"]["hasNextPage"]
    assert first["nodes"][0]["issues"] == [{"code": "DUPLICATE_KEY", "raw": "王小明"}]
    rest = (await client.data(QUARANTINE, {"after": first["pageInfo"]["endCursor"]}, OFFICER))["dataQuality"][
        "quarantine"
    ]
    assert [node["raw"] for node in (*first["nodes"], *rest["nodes"])] == [f'{{"xm":"王小明{n}"}}' for n in range(3)]
    assert not rest["pageInfo"]["hasNextPage"]


def place_in_quarantine(region: str, *native: str | int) -> str:
    kinds = tuple(Kind.TEXT if isinstance(value, str) else Kind.NUMBER for value in native)
    return encode_cursor(Cursor(shape_hash([], "quarantine"), (), (), (), region, native, kinds))


@pytest.mark.parametrize(
    ("after", "count"),
    [
        (place_in_quarantine("330105", "q1"), 3),
        (place_in_quarantine(REGION, "q1"), 1),
        (place_in_quarantine("330108", "a"), 0),
    ],
    ids=["a region before this", "this region", "a region after this"],
)
async def test_a_quarantine_cursor_serves_every_region(client: MemoryClient, after: str, count: int) -> None:
    page = (await client.data(QUARANTINE, {"first": 50, "after": after}, OFFICER))["dataQuality"]["quarantine"]
    assert len(page["nodes"]) == count


async def test_no_page_and_no_readable_cursor_of_quarantine(client: MemoryClient) -> None:
    nothing = (await client.data(QUARANTINE, {"first": 0}, OFFICER))["dataQuality"]["quarantine"]
    assert nothing == {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}
    forged = place_in_quarantine(REGION, 5)
    assert await client.code(QUARANTINE, {"after": forged}, OFFICER) == "CURSOR_MISMATCH"
    assert await client.code(QUARANTINE, {"after": "x"}, OFFICER) == "BAD_USER_INPUT"
    assert await client.code(QUARANTINE, {"first": 501}, OFFICER) == "PAGE_TOO_LARGE"


@pytest.mark.parametrize("identity", [ANONYMOUS, OWN_UNIT, FOREIGN_OFFICER, CITY, AUDITOR])
async def test_quarantine_is_for_nobody_else(client: MemoryClient, identity: Identity) -> None:
    assert await client.code(QUARANTINE, None, identity) == "FORBIDDEN"
    counts = await client.data("{ dataQuality { rows listed quarantined issues { code count } } }", None, identity)
    assert counts["dataQuality"]["quarantined"] == 3


async def test_a_forged_identity_is_nobodys(client: MemoryClient) -> None:
    """A token signed by somebody else is refused as a whole, not taken for an anonymous one."""
    forger = TokenIssuer(generate_key_pair()[0])
    answer = await client.ask("{ __typename }", None, AUDITOR, token=forger.issue(AUDITOR))
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
