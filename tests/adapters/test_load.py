"""A wrong mapping file is refused with where, what and the remedy."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters import open_store
from adapters.mapping import MappingError, load_mapping, parse_mapping
from adapters.mapping.model import Mapping
from adapters.model import StoreUnsupported

MAPPINGS = Path(__file__).parents[2] / "subgraphs" / "sample_city" / "mappings"
GOOD = tomllib.loads((MAPPINGS / "330100.toml").read_text())
PATH = Path("/city/mappings/330100.toml")


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Set the value (last) at the keys before it."""

    def change(data: dict[str, Any]) -> None:
        for key in path[:-2]:
            data = data[key]
        data[path[-2]] = path[-1]

    return change


def drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        for key in path[:-1]:
            data = data[key]
        del data[path[-1]]

    return change


WRONG: list[tuple[Callable[[dict[str, Any]], None], str, str]] = [
    (put("mapping", 2), "mapping", "write mapping = 1"),
    (put("region", "330103"), "region", "330105"),
    (put("store", "engin", "x"), "store.engin", "did you mean 'engine'?"),
    (put("store", "engine", "db2"), "store.engine", "known: sqlite"),
    (put("store", "engine", "csv"), "store.mode", 'write mode = "indexed"'),
    (put("store", "url", "${GWC_NO_SUCH}"), "store.url", "GWC_NO_SUCH"),
    (drop("secrecy"), "secrecy", "none_because"),
    (put("secrecy", "open", 3.5), "secrecy.open", "a text is expected"),
    (drop("fields", "name"), "fields.name", "not mapped"),
    (put("fields", "nmae", "x"), "fields.nmae", "did you mean 'name'?"),
    (put("fields", "class", "x"), "fields.class", "[class]"),
    (put("fields", "netValue", "x"), "fields.netValue.unit", "unit"),
    (put("fields", "netValue", "unit", "美元"), "fields.netValue.unit", "万元"),
    (put("fields", "status", {"column": "s", "codes": {"1": "AWAY"}}), "fields.status", "IN_USE"),
    (put("fields", "status", {"column": "s", "lookup": "codes"}), "fields.status.lookup", "[lookups.codes]"),
    (put("fields", "keeper", {"clean": ["trim"]}), "fields.keeper", "column"),
    (put("fields", "keeper", {"column": "k", "clean": ["upper"]}), "fields.keeper.clean", "mojibake"),
    (put("fields", "acquiredOn", {"column": "d", "formats": ["dmy"]}), "fields.acquiredOn.formats", "ymd"),
    (put("fields", "name", "models.name"), "models.name", "[[source.joins]]"),
    (put("class", "scheme", "2015"), "class.scheme", "2010"),
    (drop("units"), "fields.owner", "[units]"),
    (put("warehouses", "kinds", {"a": "SHED"}), "warehouses.kinds", "OWN_ROOM"),
    (put("write", "version_column", "other"), "write.version_column", "version"),
    (put("source", "rows", [{"column": "a", "eq": "1"}]), "source.rows[0]", "in"),
    (put("key", "columns", []), "key.columns", "columns"),
    (put("store", "encoding", "gb"), "store.encoding", "gb18030"),
    (put("store", "mode", "indexed"), "write", "live"),
    (put("store", "timeout_s", 5), "store.timeout_s", "[guest] statement_timeout_s"),
    (put("guest", {"hours": ["22:00-25:00"]}), "guest.hours", "22:00-06:00"),
    (put("guest", {"tls": "require"}), "guest.tls", "no server"),
    (put("capabilities", {"change_feed": "yes"}), "capabilities.change_feed", "true or false"),
    (put("quarantine", [{"name": "x", "when": {"column": "c"}}]), "quarantine[0].when.in", "missing"),
    (put("file", {"header_row": 3}), "file.header_row", "xlsx"),
    (put("units", "from", "sheets"), "units.from", "sheets"),
    (put("warehouses", "from", "rows"), "warehouses.from", "rows"),
    (
        put("fields", "condition", {"column": "c", "codes": {"（好）": "GOOD", "(好)": "NEW"}}),
        "fields.condition.codes",
        "twice",
    ),
    (put("fields", "netValue", {"value": "0", "unit": "元"}), "fields.netValue", "0.00"),
    (put("fields", "acquiredOn", {"column": "d", "default": "2019-01-01"}), "fields.acquiredOn.default", "remove"),
    (put("fields", "acquiredOn", {"value": "20190101"}), "fields.acquiredOn", "2022-01-31"),
    (put("fields", "usefulLifeMonths", {"value": "five", "unit": "years"}), "fields.usefulLifeMonths", "60"),
]


@pytest.mark.parametrize(("change", "where", "says"), WRONG)
def test_a_wrong_mapping(change: Callable[[dict[str, Any]], None], where: str, says: str) -> None:
    data = copy.deepcopy(GOOD)
    change(data)
    with pytest.raises(MappingError) as caught:
        parse_mapping(data, PATH)
    assert str(caught.value).startswith(where)
    assert says in str(caught.value)


FILE_PARTS: dict[str, Any] = {"lookups": {"x": {"table": "t.csv", "key": "k", "value": "v"}}}
ROWS = [{"column": "c", "in": ["1"]}]


@pytest.mark.parametrize(
    ("engine", "where"),
    [("xlsx", "lookups"), ("csv", "lookups.x.rows"), ("csv", "units.rows"), ("mongodb", "units.from")],
)
def test_what_an_engine_is_never_asked_for(engine: str, where: str) -> None:
    """Refused, not passed over: a code table read whole may say that a secret row is open."""
    data = copy.deepcopy(GOOD) | copy.deepcopy(FILE_PARTS)
    del data["write"]
    data["store"] = {"engine": engine, "url": "x"}
    if where == "lookups.x.rows":
        data["lookups"]["x"]["rows"] = ROWS
    elif where == "units.rows":
        data["units"]["rows"] = ROWS
    elif where == "units.from":
        data["units"]["from"] = "rows"
    with pytest.raises(MappingError) as caught:
        parse_mapping(data, PATH)
    assert caught.value.where == where


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@host/db",
        "postgresql://me:hunter2/x@host/db",
        "postgresql://me:hunter2@x@host/db",
        "postgresql://me:hunter2?x@host/db",
        "postgresql://me:hunter2#x@host/db",
        "postgresql://${GWC_ME}:hunter2@host/db",
        "postgresql://${GWC_ME}:${GWC_ME}hunter2@host/db",
        "postgresql://:hunter2@host/db",
        "postgresql://host/db?user=me&password=hunter2",
    ],
)
def test_no_password_in_a_mapping(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GWC_ME", "me")
    data = copy.deepcopy(GOOD)
    data["store"] = {"engine": "postgresql", "url": url}
    with pytest.raises(MappingError, match=r"\$\{NAME\}") as caught:
        parse_mapping(data, PATH)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://host:5432/db?application_name=gwc", "postgresql://me@host/db", "postgresql://me:${GWC_ME}@host/db"],
)
def test_a_url_without_a_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GWC_ME", "s@cret")
    data = copy.deepcopy(GOOD)
    data["store"] = {"engine": "postgresql", "url": url}
    assert parse_mapping(data, PATH).store.url == url.replace("${GWC_ME}", "s@cret")


@pytest.mark.parametrize("url", ["postgresql:/me:hunter2@host", "postgresql+nosuch://me:hunter2@host/db", "hunter2"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(StoreUnsupported, match="the url is none of a postgresql store") as caught:
        open_store(_at(url))
    assert "hunter2" not in str(caught.value)


def _at(url: str) -> Mapping:
    mapping = load_mapping(MAPPINGS / "330100.toml", "postgresql://host/db")
    return replace(mapping, store=replace(mapping.store, url=url))


def test_paths_are_relative_to_the_mapping() -> None:
    assert parse_mapping(GOOD, PATH).store.url == "/city/stores/330100.sqlite"


def test_another_server_of_the_same_tables() -> None:
    mapping = load_mapping(MAPPINGS / "330100.toml", "postgresql+asyncpg://me:pw@host/db")
    assert (mapping.store.engine, mapping.store.url) == ("postgresql", "postgresql+asyncpg://me:pw@host/db")
    with pytest.raises(MappingError, match="another mapping"):
        load_mapping(MAPPINGS / "330112.toml", "mongodb://host/db")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="no such file"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("a = ")
    with pytest.raises(MappingError, match="not TOML"):
        load_mapping(tmp_path / "broken.toml")


async def test_a_column_that_the_store_has_not(city: Path) -> None:
    data = copy.deepcopy(GOOD)
    data["fields"]["brand"] = "brnad"
    store = open_store(parse_mapping(data, city / "mappings" / "330100.toml"))
    with pytest.raises(MappingError, match="has no column 'brnad' → it has: asset_id, code"):
        await store.open()
    await store.close()
