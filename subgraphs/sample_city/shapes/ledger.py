"""富阳's ledger: an Excel workbook with one sheet a unit, three header rows, merged cells and totals between the rows.

The workbook is written as plain XML parts in a zip, as the file format is (ECMA-376): so formulas carry the values
Excel had computed, the content depends on nothing but the cards, and rows go to disk as they come.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import escape

from subgraphs.sample_city.bodies import Unit, Warehouse
from subgraphs.sample_city.cards import Card
from subgraphs.sample_city.shapes.base import CHINESE_STATUS, Shape, Written, money_text

__all__ = ["LedgerShape"]

_GROUPS = (("A", "F", "基本信息"), ("G", "I", "品牌与数量"), ("J", "M", "取得与价值"), ("N", "T", "使用信息"))
_HEADINGS = (
    "序号", "资产编号", "资产名称", "分类代码", "分类名称", "规格型号", "品牌", "数量", "计量单位", "取得日期", "原值", "累计折旧", "净值",
    "使用状况", "存放地点", "仓库", "保管人", "密级", "是否共享", "备注",
)  # fmt: skip
_COLUMNS = "ABCDEFGHIJKLMNOPQRST"
_SUBTOTAL_EVERY = 20
_EPOCH = date(1899, 12, 30)
"""Day 0 of Excel's 1900 system for every day after February 1900."""
_DATE_STYLE = 1
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="宋体"/></font></fonts>'
    '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_NO_NUMBER = ("约三万", "待评估", "见发票")


class LedgerShape(Shape):
    scheme = "2010"
    has_class_names = True
    net_derived = True
    fields = frozenset({"specification", "brand", "accumulatedDepreciation", "keeper"})
    statuses = frozenset(CHINESE_STATUS)
    listed_kinds = (
        "serial_60", "zero_date", "partial_date", "unknown_status", "class_missing", "class_untranslatable", "name_is_class",
        "depreciation_exceeds", "full_width",
    )  # fmt: skip
    blocking_kinds = ("unmappable_amount", "empty_key", "duplicate_key")

    def unit_key(self, unit: Unit) -> str:
        return unit.name

    def begin(self, stores: Path, units: Sequence[Unit], warehouses: Sequence[Warehouse]) -> None:
        self._path = stores / f"{self.region}.xlsx"
        self._parts = stores / f"{self.region}.parts"
        self._parts.mkdir()
        self._warehouses = warehouses
        self._sheets = [_UnitSheet(self._parts / f"{unit.index}.xml", unit) for unit in units]

    def adapt(self, card: Card) -> None:
        super().adapt(card)
        if card.seq % 6 == 0 and card.measure in ("台", "张", "把"):
            card.measure = {"台": "台/套", "张": "张（个）", "把": "把 (只)"}[card.measure]

    def add(self, card: Card) -> Written:
        assert card.unit is not None
        native: str | None = card.code.replace("TY", "FY")
        if card.kind == "empty_key":
            native = (None, " ")[card.ordinal % 2]
        elif card.kind == "duplicate_key":
            native = f"FY重{card.ordinal // 2:06d}"
        card.code = native or ""
        self._sheets[card.unit.index].add(card, self._cells(card, native))
        return Written(native)

    def _cells(self, card: Card, native: str | None) -> list[str]:
        legacy_code, legacy_name = self.legacy_class(card)
        product, wide = card.product, card.kind == "full_width"
        depreciation = card.depreciation
        original = _number(card.original)
        if card.kind == "unmappable_amount":
            original = _text(_NO_NUMBER[card.ordinal % len(_NO_NUMBER)])
            card.issues.append(("UNMAPPABLE_AMOUNT", "netValue"))  # its formula shows an error then
        elif wide:
            original = _text(money_text(card.original).translate(_WIDE))
        status = f"状态{card.ordinal}" if card.status is None else CHINESE_STATUS[card.status]
        return [
            _text(native), _text(card.name), _text(legacy_code), _text(legacy_name), _text(product.specification), _text(product.brand),
            _plain(card.quantity), _text(card.measure), self._date(card), original, _number(depreciation), "",
            _text(status), _text(card.location), _text(self.warehouse_key(card.warehouse) if card.warehouse else None),
            _text(card.keeper), _text(self._secrecy(card)), _text("是" if card.shareable else "否"), _text("借出须登记" if card.seq % 25 == 0 else None),
        ]  # fmt: skip

    @staticmethod
    def _date(card: Card) -> str:
        match card.kind:
            case "serial_60":
                return _plain("60")
            case "zero_date":
                return _plain("0")
            case "partial_date":
                return _text(("2019.3", "2018年", "2020年7月")[card.ordinal % 3])
        day = card.acquired
        if day is None:
            return ""
        match card.seq % 4:
            case 0:
                return f' s="{_DATE_STYLE}"><v>{(day - _EPOCH).days}</v>'
            case 1:
                return _plain(str((day - _EPOCH).days))
            case 2:
                return _text(day.isoformat())
        return _text(f"{day.year}年{day.month}月{day.day}日")

    @staticmethod
    def _secrecy(card: Card) -> str | None:
        match card.kind:
            case "secret":
                return ("涉密", "秘密")[card.ordinal % 2]
            case "secret_undecided":
                return (None, "？")[card.ordinal % 2]
        return "内部" if card.seq % 9 == 0 else "非密"

    def finish(self) -> None:
        for sheet in self._sheets:
            sheet.close()
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            names = ["目录", *(sheet.unit.name for sheet in self._sheets), "仓库"]
            for name, content in _workbook_parts(names):
                archive.writestr(_entry(name), content)
            archive.writestr(_entry("xl/worksheets/sheet1.xml"), self._cover())
            for number, sheet in enumerate(self._sheets, start=2):
                with (
                    sheet.path.open("rb") as source,
                    archive.open(_entry(f"xl/worksheets/sheet{number}.xml"), "w") as target,
                ):
                    shutil.copyfileobj(source, target)
            archive.writestr(_entry(f"xl/worksheets/sheet{len(names)}.xml"), self._warehouse_sheet())
        shutil.rmtree(self._parts)

    def _cover(self) -> str:
        rows = [[_text("富阳区行政事业单位固定资产台账目录")], [_text("序号"), _text("单位"), _text("件数")]]
        rows += [
            [_plain(str(n)), _text(sheet.unit.name), _plain(str(sheet.count))]
            for n, sheet in enumerate(self._sheets, start=1)
        ]
        return _sheet_xml(rows, ("A1:C1",))

    def _warehouse_sheet(self) -> str:
        rows = [[_text(heading) for heading in ("仓库编号", "仓库名称", "类型", "地址")]]
        for house in self._warehouses:
            kind = "实体仓" if house.physical else "单位自管"
            rows.append([_text(self.warehouse_key(house)), _text(house.name), _text(kind), _text(house.address)])
        return _sheet_xml(rows, ())


_WIDE = {ord(narrow): ord(narrow) + 0xFEE0 for narrow in "0123456789.,-"}


class _UnitSheet:
    """One unit's sheet, written row by row. Totals follow every so many assets and stand at the end."""

    def __init__(self, path: Path, unit: Unit) -> None:
        self.path, self.unit, self.count = path, unit, 0
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="")
        self._row = 0
        self._block_start = 4
        self._block = [0, 0]
        self._total = [0, 0]
        self._file.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>')
        self._write([_text(f"{unit.name}固定资产台账（统一社会信用代码：{unit.uscc}）")])
        groups = [""] * len(_COLUMNS)
        for first, _, title in _GROUPS:
            groups[_COLUMNS.index(first)] = _text(title)
        self._write(groups)
        self._write([_text(heading) for heading in _HEADINGS])

    def add(self, card: Card, cells: list[str]) -> None:
        self.count += 1
        row = self._row + 1
        depreciation, spoilt = card.depreciation, card.kind == "unmappable_amount"
        net = "<v>#VALUE!</v>" if spoilt else f"<v>{money_text(card.original - depreciation)}</v>"
        kind = ' t="e"' if spoilt else ""
        cells[_HEADINGS.index("净值") - 1] = f"{kind}><f>K{row}-L{row}</f>{net}"
        self._write([_plain(str(self.count)), *cells])
        for sums in (self._block, self._total):
            sums[0] += 0 if spoilt else card.original
            sums[1] += depreciation
        if self.count % _SUBTOTAL_EVERY == 0:
            self._subtotal("小计")

    def _subtotal(self, label: str) -> None:
        cells = [""] * len(_COLUMNS)
        cells[0] = _text(label)
        original, depreciation = self._total if label == "合计" else self._block
        last = self._row
        for column, fen in (("K", original), ("L", depreciation), ("M", original - depreciation)):
            formula = (
                f"SUMIF(A4:A{last},&quot;&gt;0&quot;,{column}4:{column}{last})"
                if label == "合计"
                else f"SUM({column}{self._block_start}:{column}{last})"
            )
            cells[_COLUMNS.index(column)] = f"><f>{formula}</f><v>{money_text(fen)}</v>"
        self._write(cells)
        self._block, self._block_start = [0, 0], self._row + 1

    def close(self) -> None:
        if self.count % _SUBTOTAL_EVERY:
            self._subtotal("小计")
        self._subtotal("合计")
        self._write([])
        self._write([_text("制表人：张敏　审核人：王国华　制表日期：2025年11月30日")])
        merges = ["A1:T1", *(f"{first}2:{last}2" for first, last, _ in _GROUPS), f"A{self._row}:T{self._row}"]
        cells = "".join(f'<mergeCell ref="{merge}"/>' for merge in merges)
        self._file.write(f'</sheetData><mergeCells count="{len(merges)}">{cells}</mergeCells></worksheet>')
        self._file.close()

    def _write(self, cells: list[str]) -> None:
        self._row += 1
        self._file.write(_row_xml(self._row, cells))


def _text(value: str | None) -> str:
    """A cell's attributes and content after `<c r="…"`; empty for an empty cell."""
    if value is None:
        return ""
    return f' t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is>'


def _plain(number: str) -> str:
    return f"><v>{number}</v>"


def _number(fen: int) -> str:
    return _plain(money_text(fen))


def _row_xml(number: int, cells: Sequence[str]) -> str:
    inner = "".join(f'<c r="{_COLUMNS[column]}{number}"{cell}</c>' for column, cell in enumerate(cells) if cell)
    return f'<row r="{number}">{inner}</row>'


def _sheet_xml(rows: Sequence[Sequence[str]], merges: Sequence[str]) -> str:
    body = "".join(_row_xml(number, cells) for number, cells in enumerate(rows, start=1))
    merged = "".join(f'<mergeCell ref="{merge}"/>' for merge in merges)
    tail = f'<mergeCells count="{len(merges)}">{merged}</mergeCells>' if merges else ""
    return f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData>{tail}</worksheet>'


def _entry(name: str) -> Any:
    info = zipfile.ZipInfo(name, date_time=_ZIP_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _workbook_parts(names: Sequence[str]) -> list[tuple[str, str]]:
    """The parts of the package beside the sheets; `names` are the sheets' names in order."""
    count = len(names)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
        for n in range(1, count + 1)
    )
    types = (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>{overrides}</Types>'
    )
    root = (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    )
    sheets = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, start=1)
    )
    workbook = f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, count + 1)
    )
    relations = (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{links}'
        f'<Relationship Id="rId{count + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    )
    return [
        ("[Content_Types].xml", types),
        ("_rels/.rels", root),
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/styles.xml", _STYLES),
    ]
