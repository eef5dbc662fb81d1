"""Drafts of the sample city's stores, held against the mappings that people wrote for them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters import open_store
from adapters.kit.draft import Draft, write_draft
from adapters.kit.draft_text import comment, inline, quoted
from adapters.kit.survey import Survey
from adapters.mapping import load_mapping, parse_mapping
from adapters.mapping.model import Mapping
from adapters.model import PageRequest
from contract.regions import REGIONS
from subgraphs.sample_city.seeding import seed_mongo
from tests.adapters.kit.surveys import survey

SHARED_FIELDS_MIN = 0.9
"""Of all fields that people mapped, how many a draft must have in the same column."""
WRONG_FIELDS_MAX = 0.02
"""A wrong guess costs more than a missing one."""


INSPECTED = [region for region in REGIONS if region != "330110"]
"""A paged interface is mapped by hand: nothing looks into it."""
SURVEYS: dict[str, Survey] = {}
"""By url: a store is looked into once for all tests here."""


async def drafted(city: Path, out: Path, region: str) -> tuple[Draft, Mapping, Mapping]:
    """(the draft, its mapping, the mapping by people)."""
    right = load_mapping(city / "mappings" / f"{region}.toml")
    if right.store.url not in SURVEYS:
        SURVEYS[right.store.url] = await survey(right.store.url)
    draft = write_draft(SURVEYS[right.store.url], out)
    out.write_text(draft.text, encoding="utf-8")
    return draft, load_mapping(out), right


@pytest.mark.parametrize("region", INSPECTED)
async def test_a_draft_loads_and_lists_nothing(city: Path, tmp_path: Path, region: str) -> None:
    draft, mapping, right = await drafted(city, tmp_path / "draft.toml", region)
    assert mapping.secrecy.open == ()
    assert draft.text.count("\n# TODO") == draft.todos >= 1
    store = open_store(mapping, cache_dir=tmp_path / "index")
    await store.open()
    try:
        report = await store.quality()
        # A line that is no row has no secrecy to judge by: it is counted, as whoever decides secrecy must know of it.
        assert report.listed == 0
        assert set(report.issues) <= {("MALFORMED_ROW", None)}
    finally:
        await store.close()
    assert (mapping.store.engine, mapping.store.url) == (right.store.engine, right.store.url)


@pytest.mark.parametrize("region", INSPECTED)
async def test_table_region_class_and_lists_are_found(city: Path, tmp_path: Path, region: str) -> None:
    _, mapping, right = await drafted(city, tmp_path / "draft.toml", region)
    assert (mapping.table, mapping.region) == (right.table, right.region)
    assert mapping.secrecy.column == right.secrecy.column
    assert mapping.class_ is not None
    assert right.class_ is not None
    assert (mapping.class_.column, mapping.class_.scheme) == (right.class_.column, right.class_.scheme)
    for found, wanted in ((mapping.units, right.units), (mapping.warehouses, right.warehouses)):
        assert (found.origin, found.table, found.key) == (wanted.origin, wanted.table, wanted.key)
        assert (found.name, found.uscc) == (wanted.name, wanted.uscc)


@dataclass
class Tally:
    same: int = 0
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


async def test_nearly_all_fields_are_found_and_hardly_any_is_wrong(city: Path, tmp_path: Path) -> None:
    tally = Tally()
    for region in INSPECTED:
        _, mapping, right = await drafted(city, tmp_path / f"{region}.toml", region)
        for name, wanted in right.fields.items():
            got = mapping.fields.get(name)
            if got is None:
                tally.missing.append(f"{region} {name}")
            elif got.columns[:1] == wanted.columns[:1] or name == "version":
                tally.same += 1
            else:
                tally.wrong.append(f"{region} {name}: {got.columns}, not {wanted.columns}")
    total = tally.same + len(tally.wrong) + len(tally.missing)
    assert tally.same >= SHARED_FIELDS_MIN * total, tally
    assert len(tally.wrong) <= WRONG_FIELDS_MAX * total, tally


async def test_units_of_money_and_forms_of_days_are_those_of_the_store(city: Path, tmp_path: Path) -> None:
    for region, unit in (("330102", "元"), ("330109", "万元"), ("330113", "分")):
        _, mapping, right = await drafted(city, tmp_path / f"{region}.toml", region)
        assert mapping.fields["originalValue"].unit == right.fields["originalValue"].unit == unit
    for region in ("330102", "330109", "330111", "330114"):
        _, mapping, right = await drafted(city, tmp_path / f"{region}.toml", region)
        assert set(mapping.fields["acquiredOn"].formats) == set(right.fields["acquiredOn"].formats)


async def test_versions_and_deleted_rows_are_left_out(city: Path, tmp_path: Path) -> None:
    for region in ("330105", "330106"):
        _, mapping, right = await drafted(city, tmp_path / f"{region}.toml", region)
        assert mapping.rows == right.rows


async def test_documents_of_a_server_are_guessed_as_their_export_is(
    city: Path, tmp_path: Path, mongo_database: str
) -> None:
    await seed_mongo(city, "330108", mongo_database)
    _, export, right = await drafted(city, tmp_path / "export.toml", "330108")
    draft = write_draft(await survey(mongo_database), tmp_path / "server.toml")
    server = parse_mapping(tomllib.loads(draft.text), tmp_path / "server.toml")
    assert (server.store.engine, server.table, server.region) == ("mongodb", right.table, right.region)
    assert {name: field.columns for name, field in server.fields.items()} == {
        name: field.columns for name, field in export.fields.items()
    }
    assert server.fields["name"].columns == right.fields["name"].columns == ("card.name",)
    assert (server.units, server.warehouses) == (export.units, export.warehouses)


async def test_once_secrecy_is_decided_the_draft_lists_what_people_list(city: Path, tmp_path: Path) -> None:
    """330114: Chinese names, everything in one table. The suggestion is put in place as the draft says."""
    draft, _, right = await drafted(city, tmp_path / "draft.toml", "330114")
    lines = draft.text.splitlines()
    at = lines.index("open = []")
    lines[at] = lines[at + 1].removeprefix("# ").partition("    ")[0]
    (tmp_path / "draft.toml").write_text("\n".join(lines), encoding="utf-8")
    listed = []
    for mapping in (load_mapping(tmp_path / "draft.toml"), right):
        store = open_store(mapping)
        await store.open()
        listed.append([row["native"] for row in (await store.page(PageRequest(None, (), 1000))).rows])
        await store.close()
    assert listed[0] == listed[1] != []


async def test_a_draft_shows_no_row_and_no_person(city: Path, tmp_path: Path) -> None:
    import sqlite3

    draft, _, right = await drafted(city, tmp_path / "draft.toml", "330102")
    rows = sqlite3.connect(right.store.url).execute("SELECT zcmc, bgr, zcbh FROM bgszichan").fetchall()
    assert not [text for row in rows for text in row if text and len(text) > 2 and text in draft.text]


def test_nothing_from_a_store_can_leave_its_comment_or_its_string() -> None:
    evil = 'a"\n[secrecy]\nnone_because = "x'
    text = f"{comment(evil)}\nvalue = {quoted(evil)}\ntable = {inline({evil: evil, 'in': [evil]})}\n"
    assert tomllib.loads(text) == {"value": evil, "table": {evil: evil, "in": [evil]}}
