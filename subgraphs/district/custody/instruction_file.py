"""Instructions as a file that opens right in Excel, and the same file back with ticks in it.

One line an instruction, its number first. The district fills in the last column (是, √, 1, …) and sends the file back, as
CSV in whatever encoding its Excel saves, or as a workbook; lines may be moved, left out or sent twice. A card that is to
be entered (新增卡片) is told field by field, and comes back with the key that the district's own system gave it.
"""

from __future__ import annotations

import csv
import io
import os
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from subgraphs.district.custody.instructions import Instruction
from subgraphs.kit.disk import sync

__all__ = ["InstructionFileError", "Ticks", "label", "number_of", "read_ticks", "render", "write_file"]

_SHANGHAI = timezone(timedelta(hours=8))
_NUMBER, _GIVEN, _DONE = "编号", "新主键", "完成"
_HEADINGS = (
    _NUMBER,
    "资产主键",
    "动作",
    "数量",
    "应改为状态",
    "时间",
    "预留",
    "未写入的原因",
    "卡片内容",
    _GIVEN,
    _DONE,
)
_KINDS = {
    "DISPATCH": "出仓", "RECEIVE": "接收", "RETURN": "归还", "STORE": "入仓", "REPAIR_OUT": "送修", "REPAIR_IN": "修回",
    "WRITE_OFF": "核销", "TRANSFER": "调出", "CARD": "新增卡片",
}  # fmt: skip
_CARD_FIELDS = {
    "code": "资产编码", "name": "名称", "classCode": "分类", "specification": "规格", "brand": "品牌", "model": "型号",
    "serialNumber": "序列号", "quantity": "数量", "unitOfMeasure": "计量单位", "acquiredOn": "取得日期",
    "originalValue": "原值", "accumulatedDepreciation": "累计折旧", "netValue": "净值", "usefulLifeMonths": "使用月数",
    "owner": "权属单位", "warehouse": "仓库", "location": "位置", "massKg": "质量（千克）",
}  # fmt: skip
_STATUSES = {
    "IN_USE": "在用", "IDLE": "闲置", "TO_STORE": "待入库", "IN_STORE": "在库", "RESERVED": "已预留", "TO_DISPATCH": "待出仓",
    "IN_TRANSIT": "在途", "LENT": "出借", "IN_REPAIR": "维修", "FROZEN": "盘点", "TO_DISPOSE": "待报废", "DISPOSED": "已报废",
    "LOST": "丢失",
}  # fmt: skip
_REASONS = {
    None: "原库不可写",
    "NOT_GRANTED": "原库不可写",
    "STORE_CONFLICT": "原库中该资产已改动",
    "STORE_UNAVAILABLE": "原库无应答",
}
_YES = frozenset({"是", "√", "✓", "✔", "对", "完成", "已完成", "1", "y", "yes", "x", "done", "true"})
_NO = frozenset({"", "否", "0", "n", "no", "false", "未", "未完成"})
_LABEL = re.compile(r"(\d{6})-(\d{6,12})", re.ASCII)
_FILE_BYTES_MAX = 16 << 20
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


class InstructionFileError(ValueError):
    """The file is none of ours, or cannot be read; the message says why."""


def render(region: str, instructions: Iterable[Instruction]) -> bytes:
    """UTF-8 with a byte order mark: the same instructions give the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEADINGS)
    for one in instructions:
        status = "（状态不变）" if one.status is None else _STATUSES.get(one.status, one.status)
        writer.writerow(
            (
                label(region, one.number or 0),
                _harmless(one.asset),
                _KINDS.get(one.kind, one.kind),
                one.quantity,
                status,
                datetime.fromisoformat(one.at).astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
                one.hold_id,
                _REASONS.get(one.reason, one.reason),
                "" if one.card is None else _harmless(_told(one.card)),
                "",
                "",
            )
        )
    return out.getvalue().encode("utf-8-sig")


def label(region: str, number: int) -> str:
    """As an instruction is called in files and by people."""
    return f"{region}-{number:06}"


def number_of(text: str, region: str) -> int | None:
    """The number that a label says; None of what is no label. Raises `InstructionFileError` for another region's."""
    match = _LABEL.fullmatch(text)
    if match is None:
        return None
    if match[1] != region:
        raise InstructionFileError(f"{text} is of region {match[1]}, not of {region}")
    return int(match[2])


def _told(card: Mapping[str, Any]) -> str:
    status = _STATUSES.get(card["status"], card["status"])
    fields = [f"{word}：{card[name]}" for name, word in _CARD_FIELDS.items() if card.get(name) is not None]
    return "；".join([*fields, "取得方式：调拨", f"状态：{status}"])


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_file(folder: Path, name: str, content: bytes) -> Path:
    """The whole file or none: written beside, seen on the disk, then given its name."""
    folder.mkdir(parents=True, exist_ok=True)
    target, beside = folder / name, folder / f".{uuid.uuid4().hex}.part"
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    sync(folder)
    return target


@dataclass(frozen=True, slots=True)
class Ticks:
    numbers: tuple[int, ...]
    unclear: tuple[str, ...]
    """Labels of lines whose last column says neither yes nor no."""
    natives: Mapping[int, str]
    """Of cards: the key under which the district's own system has each."""


def read_ticks(path: Path, region: str) -> Ticks:
    """The numbers that are ticked. Raises `InstructionFileError`; a line of another region's makes it none of ours."""
    rows = _rows(path)
    head = next((at for at, row in enumerate(rows) if _NUMBER in row and _DONE in row), None)
    if head is None:
        raise InstructionFileError(f"{path.name} has no columns {_NUMBER} and {_DONE}")
    number_at, done_at = rows[head].index(_NUMBER), rows[head].index(_DONE)
    given_at = rows[head].index(_GIVEN) if _GIVEN in rows[head] else None
    numbers: list[int] = []
    natives: dict[int, str] = {}
    unclear: list[str] = []
    for row in rows[head + 1 :]:
        called = row[number_at] if number_at < len(row) else ""
        if not called:
            continue
        try:
            number = number_of(called, region)
        except InstructionFileError as error:
            raise InstructionFileError(f"{path.name}: {error}") from None
        if number is None:
            raise InstructionFileError(
                f"{path.name}: {called!r} is no number of an instruction, such as {label(region, 1)}"
            )
        if given_at is not None and given_at < len(row) and row[given_at]:
            natives[number] = row[given_at]
        said = row[done_at].casefold() if done_at < len(row) else ""
        if said in _YES:
            numbers.append(number)
        elif said not in _NO:
            unclear.append(called)
    return Ticks(tuple(dict.fromkeys(numbers)), tuple(unclear), natives)


def _rows(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            raise InstructionFileError(f"{path.name} is too large to be a file of instructions")
        content = path.read_bytes()
    except OSError as error:
        raise InstructionFileError(f"{path} cannot be read: {error.strerror}") from None
    if path.suffix.lower() == ".xlsx":
        return _workbook_rows(path)
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(_decoded(content, path.name)))]
    except csv.Error as error:
        raise InstructionFileError(f"{path.name} is no CSV: {error}") from None


def _decoded(content: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InstructionFileError(f"{name} is neither UTF-8 nor GB18030")


def _workbook_rows(path: Path) -> list[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        sheet: Sequence[Sequence[object]] = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    except (CalamineError, OSError) as error:
        raise InstructionFileError(f"{path.name} cannot be read as a workbook ({type(error).__name__})") from None
    return [[_cell(cell) for cell in row] for row in sheet]


def _cell(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
