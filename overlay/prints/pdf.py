"""A sheet on paper: A4 pages as PDF, with a QR code by which the paper can be checked.

Chinese is set in Noto Sans SC (SIL Open Font License), of which only the characters in use are embedded, so a page has
some ten to thirty kilobytes. A character that the font lacks is printed as 〓 and named at the end. Tables go over pages
with their head repeated; a row is never cut. Page numbers are set last, when it is known how many pages there are.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import segno
from fontTools.ttLib import TTFont
from fpdf import FPDF
from pylopdf_fonts_zh_cn import sans_path

from overlay.prints.sheet import Column, Sheet, Table
from overlay.prints.typeset import break_lines, plain, with_known_glyphs

__all__ = ["render_pdf"]

_FONT = "body"
_WIDTH, _HEIGHT, _MARGIN = 210.0, 297.0, 15.0
_INNER = _WIDTH - 2 * _MARGIN
_BOTTOM = _HEIGHT - 20.0
"""Where a page's content ends; below it stands its foot."""
_QR_MM = 26.0
_TITLE_PT, _BODY_PT, _CELL_PT, _FOOT_PT = 17.0, 10.0, 8.5, 7.5
_LEADING = 1.45
_PAD = 1.2
_SIGNATURE_MM = 34.0
_LINES_OF_CELL_MAX = 12
"""A cell is cut there: a row must fit on a page, and no name needs more."""
_MISSING_NAMED_MAX = 40
_GREY = 238


def render_pdf(sheet: Sheet, check: str, printed_at: datetime) -> bytes:
    """The sheet as PDF. `check` is what the QR code says. Blocks for some tenths of a second: call it off the loop."""
    return _Paper(sheet, check, printed_at).bytes()


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    with TTFont(Path(sans_path()), lazy=True) as font:
        return frozenset(font.getBestCmap())


class _Paper:
    def __init__(self, sheet: Sheet, check: str, printed_at: datetime) -> None:
        self._sheet, self._check = sheet, check
        self._missing: dict[str, None] = {}
        self._pdf = FPDF(unit="mm", format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(_MARGIN)
        self._pdf.c_margin = 0
        self._pdf.add_font(_FONT, fname=sans_path())
        self._pdf.set_title(f"{sheet.title} {sheet.number}")
        self._pdf.set_lang("zh-CN")
        self._pdf.set_creation_date(printed_at)
        self._pdf.set_draw_color(90)
        self._pdf.set_line_width(0.2)

    def bytes(self) -> bytes:
        self._pdf.add_page()
        self._head()
        self._facts()
        for table in self._sheet.tables:
            self._table(table)
        self._signatures()
        self._name_missing()
        self._feet()
        target = io.BytesIO()
        self._pdf.output(target)
        return target.getvalue()

    def _head(self) -> None:
        pdf, left = self._pdf, _INNER - _QR_MM - 4
        modules = segno.make(self._check, error="m", micro=False)
        picture = io.BytesIO()
        modules.save(picture, kind="png", scale=8, border=2)
        picture.seek(0)
        pdf.image(picture, x=_WIDTH - _MARGIN - _QR_MM, y=_MARGIN - 3, w=_QR_MM, h=_QR_MM)
        self._size(_TITLE_PT)
        self._lines(self._broken(self._sheet.title, left), left, align="L")
        self._size(_BODY_PT)
        self._lines([f"单号 {self._sheet.number}"], left)
        self._lines([f"验证码 {self._sheet.code}"], left)
        pdf.set_y(max(pdf.get_y(), _MARGIN + _QR_MM - 2))

    def _facts(self) -> None:
        self._size(_BODY_PT)
        label = 22.0
        for name, value in self._sheet.facts:
            lines = self._broken(value, _INNER - label)[:_LINES_OF_CELL_MAX]
            self._room(len(lines) * self._leading())
            self._pdf.cell(label, self._leading(), name)
            self._lines(lines, _INNER - label, x=_MARGIN + label)

    def _table(self, table: Table) -> None:
        self._size(_BODY_PT)
        self._room(4 * self._leading())
        self._pdf.ln(2)
        self._lines([table.title], _INNER)
        titles = tuple(column.title for column in table.columns)

        def head() -> None:
            self._row(table.columns, titles, grey=True)

        self._size(_CELL_PT)
        head()
        for row in table.rows:
            self._row(table.columns, row, again=head)
        if table.total is not None:
            self._row(table.columns, table.total, again=head, grey=True)

    def _row(
        self,
        columns: Sequence[Column],
        cells: Sequence[str],
        *,
        again: Callable[[], None] | None = None,
        grey: bool = False,
    ) -> None:
        """One row; where it does not fit, a new page begins with `again`."""
        pdf, widths = self._pdf, [column.share * _INNER for column in columns]
        broken = [_cut(self._broken(cell, width - 2 * _PAD)) for cell, width in zip(cells, widths, strict=True)]
        height = max(len(lines) for lines in broken) * self._leading() + 2 * _PAD
        if again is not None and self._room(height):
            again()
        x, y = _MARGIN, pdf.get_y()
        pdf.set_fill_color(_GREY)
        for column, width, lines in zip(columns, widths, broken, strict=True):
            pdf.rect(x, y, width, height, style="DF" if grey else "D")
            pdf.set_y(y + _PAD)
            self._lines(lines, width - 2 * _PAD, x=x + _PAD, align="R" if column.is_number else "L")
            x += width
        pdf.set_y(y + height)

    def _signatures(self) -> None:
        self._size(_BODY_PT)
        self._room(_SIGNATURE_MM + 6)
        pdf = self._pdf
        y, width = pdf.get_y() + 6, _INNER / len(self._sheet.parties)
        for number, party in enumerate(self._sheet.parties):
            x = _MARGIN + number * width
            pdf.rect(x, y, width, _SIGNATURE_MM)
            for offset, text in (
                (2.0, party),
                (_SIGNATURE_MM - 15, "签字："),
                (_SIGNATURE_MM - 8, "日期：　　　　年　　月　　日"),
            ):
                pdf.set_xy(x + 3, y + offset)
                pdf.cell(width - 6, self._leading(), text)
        pdf.set_y(y + _SIGNATURE_MM)

    def _name_missing(self) -> None:
        if not self._missing:
            return
        self._size(_FOOT_PT)
        codes = "、".join(f"U+{ord(character):04X}" for character in list(self._missing)[:_MISSING_NAMED_MAX])
        lines = self._broken(f"〓 为字库所无之字，依次为：{codes}", _INNER)
        self._room(len(lines) * self._leading() + 2)
        self._pdf.ln(2)
        self._lines(lines, _INNER)

    def _feet(self) -> None:
        pdf = self._pdf
        self._size(_FOOT_PT)
        for number in range(1, pdf.pages_count + 1):
            pdf.page = number
            self._foot(number)

    def _foot(self, number: int) -> None:
        pdf, sheet = self._pdf, self._sheet
        pdf.set_font_size(_FOOT_PT)
        for text, align in (
            (f"{sheet.title} {sheet.number}", "L"),
            (f"打印于 {sheet.printed_at}", "C"),
            (f"第 {number} / {pdf.pages_count} 页", "R"),
        ):
            pdf.set_xy(_MARGIN, _BOTTOM + 6)
            pdf.cell(_INNER, self._leading(), text, align=align)

    def _size(self, points: float) -> None:
        self._pdf.set_font(_FONT, size=points)

    def _leading(self) -> float:
        return float(self._pdf.font_size) * _LEADING

    def _room(self, height: float) -> bool:
        """Begin a page where the present one has no room. Says whether it did."""
        if self._pdf.get_y() + height <= _BOTTOM:
            return False
        self._pdf.add_page()
        return True

    def _broken(self, text: str, width: float) -> list[str]:
        known, missing = with_known_glyphs(plain(text), _glyphs())
        self._missing.update(dict.fromkeys(missing))
        return break_lines(known, width, self._pdf.get_string_width)

    def _lines(self, lines: Sequence[str], width: float, *, x: float = _MARGIN, align: str = "L") -> None:
        for line in lines:
            self._pdf.set_x(x)
            self._pdf.cell(width, self._leading(), line, align=align, new_x="LMARGIN", new_y="NEXT")


def _cut(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _LINES_OF_CELL_MAX else [*lines[: _LINES_OF_CELL_MAX - 1], "……"]
