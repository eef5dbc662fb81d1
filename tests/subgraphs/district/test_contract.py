"""The subgraph serves the published contract, exactly."""

from __future__ import annotations

from pathlib import Path

from subgraphs.district.app import district_schema, district_sdl
from tests.subgraphs.district.parts import MemoryStore, district


def test_the_schema_equals_the_published_file() -> None:
    assert district_schema().problems() == []


def test_one_schema_object_serves_all_members() -> None:
    assert district_schema() is district_schema()


async def test_service_answers_the_published_file(tmp_path: Path) -> None:
    async with district(tmp_path, MemoryStore([])) as client:
        assert (await client.data("{ _service { sdl } }"))["_service"]["sdl"] == district_sdl()
