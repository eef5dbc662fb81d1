"""What the city says of itself equals the truth that its generator wrote apart, to the cent."""

from __future__ import annotations

from subgraphs.sample_city.truth import read_summary, read_truth
from tests.system.client import Client, walk
from tests.system.conftest import City

SUMMARY = """
{ summary(by: [REGION]) { totalIsExact sources { region status } groups { region count originalValue netValue } } }
"""
EVERY_ASSET = """
query Every($after: String) {
  assets(first: 200, after: $after, orderBy: [{field: NET_VALUE, direction: DESC}]) {
    nodes { id netValue }
    pageInfo { hasNextPage endCursor }
  }
}
"""
QUALITY = """
{ dataQuality { listed quarantined issues { code field count } } }
"""


async def test_counts_and_values_per_region_are_the_truths(
    city: City, auditor: Client, regions: tuple[str, ...]
) -> None:
    truth = read_summary(city.folder)["regions"]
    summary = (await auditor(SUMMARY)).data["summary"]
    assert summary["totalIsExact"]
    assert {source["region"]: source["status"] for source in summary["sources"]} == dict.fromkeys(regions, "OK")
    answered = {g["region"]: (g["count"], g["originalValue"], g["netValue"]) for g in summary["groups"]}
    assert answered == {r: (t["listed"], t["originalValue"], t["netValue"]) for r, t in truth.items()}
    assert sum(count for count, _, _ in answered.values()) == 1400


async def test_the_summary_by_status_and_class_is_the_truths(city: City, auditor: Client) -> None:
    truth = read_summary(city.folder)["regions"]
    groups = (await auditor("{ summary(by: [REGION, STATUS]) { groups { region status count } } }")).data["summary"][
        "groups"
    ]
    for region, expected in truth.items():
        answered = {g["status"] or "": g["count"] for g in groups if g["region"] == region}
        assert answered == expected["byStatus"], region


async def test_a_walk_meets_every_listed_asset_once_and_no_other(city: City, auditor: Client) -> None:
    from contract.ids import format_id

    rows = await walk(auditor, EVERY_ASSET, ("assets",))
    listed = {
        format_id("asset", region, row.native)
        for region in read_summary(city.folder)["regions"]
        for row in read_truth(city.folder, region)
        if row.outcome == "listed" and row.native is not None
    }
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids))
    assert set(ids) == listed


async def test_quarantine_and_issues_are_the_truths(city: City, auditor: Client) -> None:
    from collections import Counter

    truth = read_summary(city.folder)["regions"]
    quality = (await auditor(QUALITY)).data["dataQuality"]
    assert quality["listed"] == sum(t["listed"] for t in truth.values())
    assert quality["quarantined"] == sum(t["quarantined"] for t in truth.values())
    expected: Counter[str] = Counter()
    for part in truth.values():
        expected.update(part["issues"])
    assert {f"{i['code']}/{i['field'] or ''}": i["count"] for i in quality["issues"]} == dict(expected)


async def test_secret_rows_are_nowhere(city: City, auditor: Client, regions: tuple[str, ...]) -> None:
    from contract.ids import format_id

    for region in regions:
        rows = list(read_truth(city.folder, region))
        listed = {row.native for row in rows if row.outcome == "listed"}
        secrets = [row.native for row in rows if row.outcome == "secret" and row.native and row.native not in listed]
        assert secrets, region
        for native in secrets[:3]:
            answer = await auditor(
                "query One($id: ID!) { asset(id: $id) { id } }", {"id": format_id("asset", region, native)}
            )
            assert answer.data == {"asset": None}
