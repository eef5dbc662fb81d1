"""From a mapping's engine to its adapter: ours, another package's, or a message that says what to install."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import open_store
from adapters.kinds import BUILT_IN, known_kinds, third_party
from adapters.mapping import MappingError
from adapters.model import StoreUnsupported
from tests.adapters.support import mapping_of

PLUGIN = "gwc_test_adapter"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package with an adapter of kind `ledger`, and one whose driver is missing."""
    info = tmp_path / f"{PLUGIN}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PLUGIN}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[gongwucang.adapters]\nledger = {PLUGIN}:open_ledger\nsqlite = {PLUGIN}:open_ledger\nbare = {PLUGIN}_no:open\n"
    )
    (tmp_path / f"{PLUGIN}.py").write_text(
        "def open_ledger(mapping, cache_dir):\n    return mapping.store.url, cache_dir\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    third_party.cache_clear()
    yield
    third_party.cache_clear()
    sys.modules.pop(PLUGIN, None)


@pytest.mark.usefixtures("plugin")
def test_another_packages_adapter(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, store={"engine": "ledger", "url": "ledger://host"})
    opened: object = open_store(mapping, cache_dir=tmp_path)
    assert opened == ("ledger://host", tmp_path)
    assert known_kinds() == (*BUILT_IN, "bare", "ledger"), "none takes the place of ours"


@pytest.mark.usefixtures("plugin")
def test_a_package_whose_driver_is_missing(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path, store={"engine": "bare", "url": "bare://host"})
    with pytest.raises(StoreUnsupported, match="a bare store needs gwc_test_adapter_no, which is not installed"):
        open_store(mapping)


def test_an_unknown_kind_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        MappingError,
        match="known: sqlite, postgresql, mysql, mariadb, oracle, mssql, dm, kingbase, sql, csv, xlsx, mongodb",
    ):
        mapping_of(tmp_path, store={"engine": "ledger"})
    mapping = mapping_of(tmp_path)
    gone = replace(mapping, store=replace(mapping.store, engine="ledger"))
    with pytest.raises(StoreUnsupported, match="no adapter for 'ledger': known are sqlite, postgresql"):
        open_store(gone)


@pytest.mark.parametrize(
    ("engine", "url", "module", "extra"),
    [
        ("postgresql", "postgresql://host/db", "asyncpg", "postgresql"),
        ("mysql", "mysql://host/db", "asyncmy", "mysql"),
        ("mongodb", "mongodb://host/db", "motor", "mongo"),
        ("xlsx", "book.xlsx", "python_calamine", "excel"),
    ],
)
def test_a_missing_driver_says_which_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, url: str, module: str, extra: str
) -> None:
    for name in [name for name in sys.modules if name.startswith(("adapters.mongo", "adapters.tabular"))]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    source = {} if engine == "xlsx" else {"table": "zc"}
    with pytest.raises(StoreUnsupported) as caught:
        open_store(mapping_of(tmp_path, store={"engine": engine, "url": url}, source=source))
    assert f"pip install 'gongwucang[{extra}]'" in str(caught.value)


def test_each_extra_is_one_of_the_packages() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert {kind.extra for kind in BUILT_IN.values() if kind.extra} <= set(project["optional-dependencies"])


def test_a_store_that_may_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreUnsupported, match=r"capabilities\.read"):
        open_store(mapping_of(tmp_path, capabilities={"read": False}))
