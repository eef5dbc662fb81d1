"""What counts as the same asset: over a server of the test's own, which pages as the gateway does."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from gwc.quality.duplicates import find_duplicates
from tests.endpoint import served

Asset = tuple[str, str | None, str | None, str | None, str | None]
"""Region, code, serial number, brand, the owner's USCC."""


@asynccontextmanager
async def gateway(assets: list[Asset], size: int) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        after = int((await request.json())["variables"]["after"] or 0)
        nodes = [node(number, *asset) for number, asset in enumerate(assets)]
        page = {
            "nodes": nodes[after : after + size],
            "pageInfo": {"hasNextPage": after + size < len(nodes), "endCursor": str(after + size)},
        }
        return web.json_response({"data": {"assets": page}})

    async with served(web.post("/graphql", answer)) as url:
        yield f"{url}/graphql"


def node(number: int, region: str, code: str | None, serial: str | None, brand: str | None, uscc: str | None) -> Any:
    owner = None if uscc is None else {"name": uscc, "uscc": uscc}
    return {
        "id": f"asset:{region}:{number}",
        "region": {"code": region},
        "code": code,
        "serialNumber": serial,
        "brand": brand,
        "owner": owner,
    }


async def found(tmp_path: Path, *assets: Asset) -> set[tuple[str, frozenset[int]]]:
    """Each group as its kind and the places of its assets."""
    out = tmp_path / "out.csv"
    async with gateway(list(assets), 2) as url:
        await asyncio.to_thread(find_duplicates, out, "utf-8-sig", url, None, 100, lambda line: None)
    groups: dict[tuple[str, str], set[int]] = {}
    with out.open(encoding="utf-8-sig", newline="") as file:
        for kind, group, _, id_, *_ in list(csv.reader(file))[1:]:
            groups.setdefault((kind, group), set()).add(int(id_.rpartition(":")[2]))
    return {(kind, frozenset(places)) for (kind, _), places in groups.items()}


async def test_what_is_the_same(tmp_path: Path) -> None:
    assert await found(
        tmp_path,
        ("330102", "TY001", "SN12345", "联想", "U1"),
        ("330105", "ＴＹ 001", "sn 12345", "联想", "U1"),
        ("330106", "TY001", "SN12345", "华为", "U2"),
    ) == {
        ("SAME_CARD", frozenset({0, 1})),
        ("SAME_SERIAL", frozenset({0, 1})),
        ("SAME_CODE", frozenset({0, 1, 2})),
    }


async def test_what_is_not(tmp_path: Path) -> None:
    """One region's own repeats are its DUPLICATE_CODE; nothing, and a serial number that is none, are no identity."""
    assert (
        await found(
            tmp_path,
            ("330102", "TY001", None, None, "U1"),
            ("330102", "TY001", None, None, "U1"),
            ("330105", None, "无", None, None),
            ("330106", None, "无", None, None),
            ("330106", " ", "", None, None),
            ("330108", "", "", None, None),
        )
        == set()
    )
