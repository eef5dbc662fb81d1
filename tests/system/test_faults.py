"""Two districts fail, one by silence and one by a closed port: the other twelve answer in time, and both are named."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import pytest

from tests.system.client import Client
from tests.system.conftest import City
from tests.system.processes import GwcProcess, gwc

SILENT, CLOSED = "330106", "330109"
DEADLINE_MS = 3000
PAGE = """
{ assets(first: 200, orderBy: [{field: NAME}]) {
    totalCount totalIsExact nodes { id region { code } } sources { region name status } pageInfo { hasNextPage } } }
"""


@dataclass(frozen=True)
class Split:
    """A city whose two failing districts run as processes of their own."""

    url: str
    districts: dict[str, GwcProcess]


@pytest.fixture
def split(city: City) -> Iterator[Split]:
    mappings = city.folder / "mappings"
    with (
        gwc("district", "--mapping", str(mappings / f"{SILENT}.toml"), "--port", "0", "--data-dir", str(city.data_dir)) as (
            silent,
            silent_url,
        ),
        gwc("district", "--mapping", str(mappings / f"{CLOSED}.toml"), "--port", "0", "--data-dir", str(city.data_dir)) as (
            closed,
            closed_url,
        ),
        gwc(
            "up", "--port", "0", "--data-dir", str(city.data_dir), "--no-simulate",
            "--external", f"{SILENT}={silent_url}", "--external", f"{CLOSED}={closed_url}",
        ) as (_, url),
    ):  # fmt: skip
        yield Split(url, {SILENT: silent, CLOSED: closed})


async def test_twelve_answer_when_two_do_not(split: Split, session: aiohttp.ClientSession) -> None:
    client = Client(session, split.url)
    whole = (await client(PAGE)).data["assets"]
    assert whole["totalIsExact"]
    assert {source["status"] for source in whole["sources"]} == {"OK"}

    split.districts[SILENT].process.send_signal(signal.SIGSTOP)
    split.districts[CLOSED].stop()
    started = time.monotonic()
    answer = await client(PAGE, headers={"gwc-deadline-ms": str(DEADLINE_MS)})
    elapsed_ms = (time.monotonic() - started) * 1000
    assert elapsed_ms <= DEADLINE_MS

    assets = answer.partial["assets"]
    failed = {source["region"] for source in assets["sources"] if source["status"] == "UNAVAILABLE"}
    assert failed == {SILENT, CLOSED}
    assert len(assets["sources"]) == 14
    assert {source["name"] for source in assets["sources"]} >= {"西湖区", "萧山区"}
    named = {
        error["extensions"]["region"]
        for error in answer.errors
        if error["extensions"]["code"] == "PARTITION_UNAVAILABLE"
    }
    assert named == {SILENT, CLOSED}
    assert assets["totalIsExact"] is False

    expected = [node["id"] for node in whole["nodes"] if node["region"]["code"] not in failed]
    assert {node["region"]["code"] for node in assets["nodes"]}.isdisjoint(failed)
    assert [node["id"] for node in assets["nodes"]][: len(expected)] == expected, "the others' rows, in the same order"


async def test_all_or_nothing_on_demand(split: Split, session: aiohttp.ClientSession) -> None:
    client = Client(session, split.url)
    split.districts[CLOSED].stop()
    answer = await client(PAGE, headers={"gwc-partial": "none"})
    assert answer.partial == {"assets": None}
    assert "PARTITION_UNAVAILABLE" in answer.codes()
