"""`node(id:)`: the overlay names what an id is of, and the districts' group, or the overlay itself, completes it."""

from __future__ import annotations

from tests.system.client import Client

NODE = """
query Node($id: ID!) {
  node(id: $id) { __typename id ... on Asset { name quantity region { code } orders { number } } }
}
"""


async def test_an_asset_of_every_district_is_found_by_its_id_alone(auditor: Client, regions: tuple[str, ...]) -> None:
    for region in regions:
        query = "query($filter: AssetFilter) { assets(first: 1, filter: $filter) { nodes { id name quantity } } }"
        [asset] = (await auditor(query, {"filter": {"region": {"eq": region}}})).data["assets"]["nodes"]
        found = (await auditor(NODE, {"id": asset["id"]})).data["node"]
        assert found == {"__typename": "Asset", **asset, "region": {"code": region}, "orders": found["orders"]}


async def test_only_the_owner_is_asked(auditor: Client) -> None:
    query = "{ assets(first: 1) { nodes { id region { code } } } }"
    [asset] = (await auditor(query)).data["assets"]["nodes"]
    answer = await auditor(NODE, {"id": asset["id"]})
    assert [one["region"] for one in answer.body["extensions"]["partitions"]] == [asset["region"]["code"]]


async def test_an_id_of_no_region_is_a_coded_error_and_nobody_is_asked(auditor: Client) -> None:
    answer = await auditor(NODE, {"id": "asset:999999:1"})
    assert answer.codes() == {"UNKNOWN_REGION"}
    assert "partitions" not in answer.body.get("extensions", {})
