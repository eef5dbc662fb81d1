"""`gwc gateway --group … --as-subgraph`: the districts as one standard subgraph, in a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from contract.regions import REGIONS
from tests.system.client import Client
from tests.system.conftest import City
from tests.system.processes import GWC, gwc

SCHEMAS = Path(__file__).parents[2] / "schema"
SUPERGRAPH = SCHEMAS / "supergraph.graphql"
CONTRACT = SCHEMAS / "district.graphql"


def members(folder: Path, base: str, contract: str | None) -> Path:
    lines = ["[groups.districts]", *([f'contract = "{contract}"'] if contract else [])]
    for region in REGIONS:
        url = f"{base}/districts/{region}/graphql"
        lines += ["[[groups.districts.members]]", f'region = "{region}"', 'name = "区"', f'urls = ["{url}"]']
    path = folder / "members.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def group_url(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    file = members(tmp_path_factory.mktemp("group"), city.url.removesuffix("/graphql"), str(CONTRACT))
    options = ("--supergraph", str(SUPERGRAPH), "--members", str(file), "--data-dir", str(city.data_dir))
    with gwc("gateway", *options, "--group", "districts", "--as-subgraph", "--port", "0") as (_, url):
        yield url


@pytest.mark.parametrize("path", ["/graphql", "/groups/districts/graphql"])
async def test_it_tells_the_contract_word_for_word(group_url: str, path: str, session: aiohttp.ClientSession) -> None:
    client = Client(session, group_url.removesuffix("/graphql") + path)
    data = (await client("{ _service { sdl } }")).data
    assert data["_service"]["sdl"] == CONTRACT.read_text(encoding="utf-8")


async def test_the_embedded_city_serves_the_same_group(city: City, session: aiohttp.ClientSession) -> None:
    client = Client(session, city.url.removesuffix("/graphql") + "/groups/districts/graphql")
    data = (await client("{ _service { sdl } }")).data
    assert data["_service"]["sdl"] == CONTRACT.read_text(encoding="utf-8")


async def test_entities_come_from_their_districts(
    group_url: str, city: City, anonymous: Client, session: aiohttp.ClientSession
) -> None:
    listed = "{ assets(first: 20, orderBy: [{field: NAME}]) { nodes { id name status region { name } } } }"
    expected = (await anonymous(listed)).data["assets"]["nodes"]
    assert len({asset["id"].split(":")[1] for asset in expected}) > 3
    query = """query($r: [_Any!]!) { _entities(representations: $r) {
        ... on Asset { id name status region { name } } } }"""
    asked = [{"__typename": "Asset", "id": asset["id"]} for asset in expected]
    assert (await Client(session, group_url)(query, {"r": asked})).data["_entities"] == expected


@pytest.mark.parametrize(
    ("contract", "options", "told"),
    [
        (str(CONTRACT), ("--group", "wards", "--as-subgraph"), "has no partitioned group wards"),
        (None, ("--group", "districts", "--as-subgraph"), "does not say which contract"),
        ("gone.graphql", ("--group", "districts", "--as-subgraph"), "gone.graphql cannot be read"),
        (str(CONTRACT), ("--group", "districts"), "--group and --as-subgraph belong together"),
        (str(CONTRACT), ("--as-subgraph",), "--group and --as-subgraph belong together"),
    ],
)
def test_what_cannot_be_served_is_said_at_start(
    contract: str | None, options: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    file = members(tmp_path, "http://127.0.0.1:9", contract)
    given = ("--supergraph", str(SUPERGRAPH), "--members", str(file), "--data-dir", str(tmp_path), "--port", "0")
    command = [str(GWC), "gateway", *given, *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode in (1, 2)
    assert told in result.stderr
    assert "Traceback" not in result.stderr
