"""Exported documents are told as those of their server are, and what is no export does not stand in the way."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.kit.surveys import survey


async def test_each_export_is_a_collection(tmp_path: Path) -> None:
    (tmp_path / "assets.jsonl").write_text(
        '{"_id": {"$oid": "64b0c0ffee0000000000abcd"}, "card": {"name": "办公桌", "v": {"$numberDecimal": "9.80"}}}\n'
        '{"_id": "b", "card": {"name": "椅子"}, "tags": ["a"]}\n',
        encoding="utf-8",
    )
    (tmp_path / "assets.ok").write_text("2")
    (tmp_path / "moves.jsonl").write_text('{"_id": 1}\n{"_id": ', encoding="utf-8")
    found = await survey(str(tmp_path))
    (table,) = found.tables
    assert (table.name, table.rows, table.ready_suffix) == ("assets", 2, ".ok")
    samples = {column.name: [str(value) for value in column.samples] for column in table.columns}
    assert samples == {
        "_id": ["64b0c0ffee0000000000abcd", "b"],
        "card.name": ["办公桌", "椅子"],
        "card.v": ["9.80", "None"],
    }
    assert found.notes == ("moves.jsonl was not read: line 2 of moves.jsonl is not ended",)
