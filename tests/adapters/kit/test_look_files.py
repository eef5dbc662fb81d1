"""Folders of exports and workbooks: which file, which row of headings, which sheets belong together."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook

from tests.adapters.kit.surveys import survey


async def test_nightly_exports_are_one_table_and_the_newest_whole_file_is_read(tmp_path: Path) -> None:
    for day, name in (("20251129", "椅子"), ("20251130", "桌子"), ("20251201", "半")):
        (tmp_path / f"zc_{day}.csv").write_text(f"编号,名称\n1,{name}\n", encoding="gb18030")
    for day in ("20251129", "20251130"):
        (tmp_path / f"zc_{day}.ok").write_text("1\n")
    found = await survey(str(tmp_path))
    (table,) = found.tables
    assert (table.file, table.ready_suffix, table.rows) == ("zc_20251130.csv", ".ok", 1)
    assert table.columns[1].samples == ("桌子",)
    assert found.notes == ("zc_20251201.csv was passed over: there is no zc_20251201.ok",)


async def test_a_file_cut_in_the_middle_gives_way_to_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "zc_20251130.csv").write_text("编号,名称\n1,桌子\n", encoding="utf-8")
    (tmp_path / "zc_20251201.csv").write_bytes("编号,名称\n1,桌".encode("gb18030")[:-1])
    found = await survey(str(tmp_path))
    assert [table.file for table in found.tables] == ["zc_20251130.csv"]
    assert "zc_20251201.csv was not read" in found.notes[0]


async def test_sheets_of_one_layout_are_one_table_below_its_titles(tmp_path: Path) -> None:
    book = Workbook()
    book.remove(book.active)
    for unit in ("一中", "二中"):
        sheet = book.create_sheet(unit)
        sheet.append([f"{unit}固定资产台账（统一社会信用代码：X）"])
        sheet.append(["基本信息", "", "价值"])
        sheet.append(["序号", "资产名称", "原值"])
        sheet.append([1, "桌子", 980])
        sheet.append(["合计", "", 980])
    book.create_sheet("说明").append(["填表说明"])
    book.save(tmp_path / "台账.xlsx")
    found = await survey(str(tmp_path / "台账.xlsx"))
    table = found.table("一中")
    assert table is not None
    assert (table.sheets, table.header_row) == (("一中", "二中"), 3)
    assert [column.name for column in table.columns] == ["序号", "资产名称", "原值"]
    assert table.columns[0].samples == (1, "合计", 1, "合计")
    assert table.title.startswith("一中固定资产台账")
