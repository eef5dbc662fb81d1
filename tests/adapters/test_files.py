"""Files as districts leave them: no announcement that they are whole, error cells, hidden sheets, headings twice."""

from __future__ import annotations

import os
import re
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from adapters import open_store
from adapters.index import IndexedStore
from adapters.model import StoreUnavailable
from adapters.status import HealthState
from tests.adapters.support import ALL, mapping_of

LONG_AGO_S = 3600


@asynccontextmanager
async def opened(folder: Path, **more: Any) -> AsyncIterator[IndexedStore]:
    store = open_store(mapping_of(folder, **more), cache_dir=folder / "cache")
    assert isinstance(store, IndexedStore)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


# --- CSV ----------------------------------------------------------------------------------------------------------

CSV: dict[str, Any] = {
    "store": {"engine": "csv", "url": "drop", "reread_s": 86_400},
    "file": {"settle_s": 60},
}


def export(folder: Path, name: str, rows: int, age_s: float = LONG_AGO_S) -> Path:
    path = folder / "drop" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("id,mc\n" + "".join(f"A{n},{name}\n" for n in range(rows)))
    moment = time.time() - age_s
    os.utime(path, (moment, moment))
    return path


def csv_mapping(**file: Any) -> dict[str, Any]:
    return {**CSV, "source": {"table": "zc"}, "file": {**CSV["file"], **file}}


async def test_a_file_that_changed_lately_does_not_count_yet(tmp_path: Path) -> None:
    export(tmp_path, "1.csv", 10)
    async with opened(tmp_path, **csv_mapping()) as store:
        export(tmp_path, "2.csv", 10, age_s=0)
        await store.refresh()
        assert {row["name"] for row in (await store.page(ALL)).rows} == {"1.csv"}
        health = await store.health()
        assert health.state is HealthState.DEGRADED
        assert health.fault and health.fault.code == "EXPORT_UNFINISHED" and "2.csv" in health.fault.message


async def test_a_file_with_a_foreign_clocks_time_counts_once_it_has_lain_still(tmp_path: Path) -> None:
    """Its time is an hour ahead of ours; two looks that see the same are enough where no rest is asked for."""
    export(tmp_path, "1.csv", 10)
    async with opened(tmp_path, **csv_mapping(settle_s=0)) as store:
        export(tmp_path, "2.csv", 10, age_s=-3600)
        await store.refresh()
        assert {row["name"] for row in (await store.page(ALL)).rows} == {"2.csv"}


async def test_a_file_written_anew_in_its_place_leaves_the_last_good_state(tmp_path: Path) -> None:
    """Neither the half new file nor an older export takes over."""
    export(tmp_path, "1.csv", 10, age_s=2 * LONG_AGO_S)
    export(tmp_path, "2.csv", 10)
    async with opened(tmp_path, **csv_mapping()) as store:
        export(tmp_path, "2.csv", 4, age_s=0)
        await store.refresh()
        assert [row["name"] for row in (await store.page(ALL)).rows] == ["2.csv"] * 10
        assert (await store.health()).state is HealthState.DEGRADED


async def test_half_a_file_that_lies_still_is_not_the_store(tmp_path: Path) -> None:
    export(tmp_path, "1.csv", 10)
    async with opened(tmp_path, **csv_mapping()) as store:
        export(tmp_path, "2.csv", 4)
        await store.refresh()
        assert await store.count(None) == 10
        health = await store.health()
        assert health.fault and health.fault.code == "EXPORT_SHRUNK"


async def test_a_store_that_may_shrink(tmp_path: Path) -> None:
    export(tmp_path, "1.csv", 10)
    async with opened(tmp_path, **csv_mapping(rows_min_percent=0)) as store:
        export(tmp_path, "2.csv", 4)
        await store.refresh()
        assert await store.count(None) == 4


async def test_a_heading_that_stands_twice_in_a_csv(tmp_path: Path) -> None:
    export(tmp_path, "1.csv", 0).write_text("id,mc,mc\nA1,桌,椅\n")
    moment = time.time() - LONG_AGO_S
    os.utime(tmp_path / "drop" / "1.csv", (moment, moment))
    with pytest.raises(StoreUnavailable, match=r"1\.csv has more than one column mc"):
        async with opened(tmp_path, **csv_mapping()):
            pass


# --- workbooks ----------------------------------------------------------------------------------------------------

XLSX: dict[str, Any] = {
    "store": {"engine": "xlsx", "url": "book.xlsx"},
    "fields": {"name": "mc", "originalValue": {"column": "yz", "unit": "元"}, "acquiredOn": {"column": "rq"}},
}


def workbook(folder: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], hidden: Sequence[str] = ()) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for cells in sheet.iter_rows():
            for cell in cells:
                if isinstance(cell.value, str) and cell.value.startswith("#"):
                    cell.data_type = "e"
        if name in hidden:
            sheet.sheet_state = "hidden"
    book.save(folder / "book.xlsx")


HEAD = ("no", "id", "mc", "yz", "rq")


async def test_a_cell_that_shows_an_error_is_not_an_empty_one(tmp_path: Path) -> None:
    rows = [HEAD, (1, "A1", "桌", "#REF!", "2020-01-02"), (2, "A2", "椅", None, "#DIV/0!"), (3, "A3", "柜", 1.5, None)]
    workbook(tmp_path, {"一": rows})
    async with opened(tmp_path, **XLSX) as store:
        (kept,) = await store.quarantine(10, None)
        assert (kept.raw["id"], kept.raw["yz"]) == ("A1", "#REF!")
        assert [(found["code"], found["field"], found["raw"]) for found in kept.issues] == [
            ("UNMAPPABLE_AMOUNT", "originalValue", "#REF!")
        ]
        two, three = (await store.page(ALL)).rows
        assert [(found["code"], found["field"], found["raw"]) for found in two["issues"]] == [
            ("INVALID_DATE", "acquiredOn", "#DIV/0!")
        ]
        assert (two["originalValue"], three["originalValue"], three["issues"]) == (None, "1.50", [])


async def test_a_truth_value_is_no_amount(tmp_path: Path) -> None:
    workbook(tmp_path, {"一": [HEAD, (1, "A1", "桌", True, None)]})
    async with opened(tmp_path, **XLSX) as store:
        (kept,) = await store.quarantine(10, None)
        assert [(found["code"], found["raw"]) for found in kept.issues] == [("UNMAPPABLE_AMOUNT", "TRUE")]


async def test_hidden_sheets_are_not_read_unless_asked_for(tmp_path: Path) -> None:
    sheets = {"一": [HEAD, (1, "A1", "桌", 1, None)], "旧": [HEAD, (1, "B1", "旧桌", 1, None)]}
    workbook(tmp_path, sheets, hidden=["旧"])
    async with opened(tmp_path, **XLSX) as store:
        assert [row["native"] for row in (await store.page(ALL)).rows] == ["A1"]
    async with opened(tmp_path, **XLSX, file={"hidden_sheets": True}) as store:
        assert [row["native"] for row in (await store.page(ALL)).rows] == ["A1", "B1"]


async def test_a_number_kept_as_text_counts_as_a_number_of_a_row(tmp_path: Path) -> None:
    rows = [HEAD, ("1", "A1", "桌", 1, None), ("２", "A2", "椅", 1, None), ("小计", "T", "合计", 2, None)]
    workbook(tmp_path, {"一": rows})
    async with opened(tmp_path, **XLSX, file={"row_when": "number"}) as store:
        assert [row["native"] for row in (await store.page(ALL)).rows] == ["A1", "A2"]


async def test_a_heading_that_stands_twice_is_named_by_its_letter(tmp_path: Path) -> None:
    workbook(tmp_path, {"一": [("no", "id", "mc", "yz", "rq", "yz"), (1, "A1", "桌", 1, None, 2)]})
    with pytest.raises(StoreUnavailable, match=r"'yz' more than once \(D, F\): name one in file.columns"):
        async with opened(tmp_path, **XLSX):
            pass
    async with opened(tmp_path, **XLSX, file={"columns": {"yz": "F"}}) as store:
        assert [row["originalValue"] for row in (await store.page(ALL)).rows] == ["2.00"]


def rewritten(folder: Path, change: Callable[[str, bytes], bytes]) -> None:
    """The workbook with its parts changed, as another program might have written them."""
    path = folder / "book.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(name, content))


async def test_a_formula_that_was_never_computed_is_an_issue_and_not_empty(tmp_path: Path) -> None:
    rows = [HEAD, (1, "A1", "桌", "=1+2", None), (2, "A2", "椅", 5, "=TODAY()"), (3, "A3", "=B3", 5, None)]
    workbook(tmp_path, {"一": rows})
    async with opened(tmp_path, **XLSX) as store:
        (kept,) = await store.quarantine(10, None)
        assert [(found["code"], found["raw"]) for found in kept.issues] == [("UNMAPPABLE_AMOUNT", "=1+2")]
        two, three = (await store.page(ALL)).rows
        assert [(found["code"], found["raw"]) for found in two["issues"]] == [("INVALID_DATE", "=TODAY()")]
        assert three["name"] == "=B3", "shown as it stands"


async def test_a_formula_has_the_value_that_was_computed_last(tmp_path: Path) -> None:
    workbook(tmp_path, {"一": [HEAD, (1, "A1", "桌", "=1+2", None), (2, "A2", '=""', "=4+5", None)]})

    def compute(name: str, content: bytes) -> bytes:
        content = content.replace(b"<f>1+2</f><v></v>", b"<f>1+2</f><v>3</v>")
        content = content.replace(b"<f>1+2</f><v />", b"<f>1+2</f><v>3</v>")
        content = re.sub(rb'<c r="C3"[^>]*><f>""</f><v ?/?>(</v>)?', rb'<c r="C3" t="str"><f>""</f><v></v>', content)
        return re.sub(rb"<f>4\+5</f><v ?/?>(</v>)?", rb'<f t="shared" si="0"/><v>9</v>', content)

    rewritten(tmp_path, compute)
    async with opened(tmp_path, **XLSX) as store:
        assert [(row["name"], row["originalValue"]) for row in (await store.page(ALL)).rows] == [
            ("桌", "3.00"),
            (None, "9.00"),
        ]


async def test_hidden_rows_are_assets_unless_the_mapping_has_it_otherwise(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (HEAD, (1, "A1", "桌", 1, None), (2, "A2", "椅", 1, None), (3, "A3", "柜", 1, None)):
        sheet.append(list(row))
    sheet.row_dimensions[3].hidden = True
    book.save(tmp_path / "book.xlsx")
    for hidden, keys in ((True, ["A1", "A2", "A3"]), (False, ["A1", "A3"])):
        async with opened(tmp_path, **XLSX, file={"hidden_rows": hidden}) as store:
            assert [row["native"] for row in (await store.page(ALL)).rows] == keys


async def test_merged_cells_count_for_each_row_in_the_columns_that_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (HEAD, (1, "A1", "桌", 100, None), (2, "A2", None, None, None), (3, "A3", "柜", 1, None)):
        sheet.append(list(row))
    sheet.merge_cells("C2:C3")
    sheet.merge_cells("D2:D3")
    book.save(tmp_path / "book.xlsx")
    async with opened(tmp_path, **XLSX, file={"merged": ["mc"]}) as store:
        assert [(row["name"], row["originalValue"]) for row in (await store.page(ALL)).rows] == [
            ("桌", "100.00"),
            ("桌", None),
            ("柜", "1.00"),
        ]


@pytest.mark.parametrize("is_honest", [True, False], ids=["says its size", "lies about it"])
async def test_a_bomb_is_not_unpacked(tmp_path: Path, is_honest: bool) -> None:
    """A part of two gibibytes of blanks, in two megabytes; the last good state goes on answering."""
    workbook(tmp_path, {"一": [HEAD, (1, "A1", "桌", 1, None)]})
    async with opened(tmp_path, **XLSX) as store:
        with zipfile.ZipFile(tmp_path / "book.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("xl/media/blank.bin", "w", force_zip64=True) as part:
                for _ in range(33 if is_honest else 1):
                    part.write(bytes(32 << 20))
            if not is_honest:
                archive.getinfo("xl/media/blank.bin").file_size = 100
        await store.refresh()
        health = await store.health()
        assert health.state is HealthState.DEGRADED and health.fault is not None
        assert ("unpacks to more than" if is_honest else "cannot be read as a workbook") in health.fault.message
        assert [row["native"] for row in (await store.page(ALL)).rows] == ["A1"]


async def test_a_workbook_in_a_few_pieces_is_searched_whole(tmp_path: Path) -> None:
    """More than one piece of XML: no error is lost where two of them meet."""
    rows = [HEAD, *((n, f"A{n}", "桌" * 20, "#REF!" if n % 3 == 0 else n, None) for n in range(1, 12_001))]
    workbook(tmp_path, {"一": rows})
    async with opened(tmp_path, **XLSX) as store:
        assert (await store.quality()).quarantined == 4_000
