"""A document store's collections are told by the paths of their documents."""

from __future__ import annotations

from pymongo import MongoClient

from adapters.kit.survey import StoreUrl
from tests.adapters.kit.surveys import survey_of


async def test_paths_of_documents_are_columns(mongo_database: str) -> None:
    with MongoClient[dict[str, object]](mongo_database) as client:
        assets = client.get_default_database()["assets"]
        assets.insert_many([
            {"assetNo": "A1", "card": {"name": "办公桌", "value": {"original": 980}}, "tags": ["a", "b"]},
            {"assetNo": "A2", "card": {"name": "椅子"}},
        ])  # fmt: skip
        assets.create_index("assetNo", unique=True)
    found = await survey_of(StoreUrl("mongodb", "mongodb://x", mongo_database))
    table = found.table("assets")
    assert table is not None
    assert (table.rows, table.unique) == (2, (("assetNo",),))
    columns = {column.name: column.samples for column in table.columns}
    assert columns["card.name"] == ("办公桌", "椅子")
    assert columns["card.value.original"] == (980, None)
    assert "tags" not in columns
