"""All that is guessed of a strange store, in one place: the asset table, its columns, lists, codes, key and region."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.kit.guess import AssetGuess, ColumnGuess, guess_tables, labelled
from adapters.kit.keys import KeyGuess, guess_key
from adapters.kit.lists import CodeTable, ListGuess, code_table_of, list_of
from adapters.kit.shapes import shape_of
from adapters.kit.survey import Survey, TableSurvey
from adapters.mapping.model import TABULAR_ENGINES
from contract.regions import REGIONS

__all__ = ["REFERENCES", "USCC", "Meaning", "meaning_of"]

REFERENCES: Final = {"owner": "units", "warehouse": "warehouses"}
"""Fields that point into a list, and the list's section."""
USCC: Final = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}")
_CODED = ("status", "condition", "acquisition", "source", "valueType", "shareable", "classCode", "secrecy")
_REGION_DIGITS = slice(2, 8)
"""Of a unified social credit code: where its holder is registered (GB/T 2260)."""
_USCC_MIN = 0.5


@dataclass(frozen=True, slots=True)
class Meaning:
    survey: Survey
    engine: str
    guess: AssetGuess
    lists: Mapping[str, ListGuess]
    """owner, warehouse → the list that the asset table points into."""
    codes: Mapping[str, CodeTable]
    key: KeyGuess
    region: str | None
    """None: nothing in the store tells."""

    @property
    def asset(self) -> TableSurvey:
        return self.guess.best.table

    @property
    def columns(self) -> Mapping[str, ColumnGuess]:
        return self.guess.best.columns


def meaning_of(survey: Survey, table: str | None = None) -> Meaning:
    """`table` settles which is the asset table."""
    survey = labelled(survey)
    engine = survey.url.engine.removeprefix("other:")
    guess = guess_tables(survey, table)
    asset, columns = guess.best.table, guess.best.columns
    return Meaning(
        survey=survey,
        engine=engine,
        guess=guess,
        lists=_lists(survey, asset, columns),
        codes={} if engine in TABULAR_ENGINES else _code_tables(survey, asset, columns),
        key=guess_key(asset, columns, engine),
        region=_region(survey, columns),
    )


def _lists(survey: Survey, asset: TableSurvey, columns: Mapping[str, ColumnGuess]) -> dict[str, ListGuess]:
    found = {target: list_of(survey, asset, kind, columns.get(target)) for target, kind in REFERENCES.items()}
    return {target: listed for target, listed in found.items() if listed is not None}


def _code_tables(survey: Survey, asset: TableSurvey, columns: Mapping[str, ColumnGuess]) -> dict[str, CodeTable]:
    found = {target: code_table_of(survey, asset, columns[target].column) for target in _CODED if target in columns}
    return {target: table for target, table in found.items() if table is not None}


def _region(survey: Survey, columns: Mapping[str, ColumnGuess]) -> str | None:
    """By the credit codes of units, or a column of region codes."""
    codes: Counter[str] = Counter()
    for table in survey.tables:
        for column in table.columns:
            if shape_of(column.samples).share("uscc") >= _USCC_MIN:
                codes.update(str(value)[_REGION_DIGITS] for value in column.samples if value)
        codes.update(code[_REGION_DIGITS] for code in USCC.findall(table.title))
    if "region" in columns:
        codes.update(str(value) for value in columns["region"].column.samples if value)
    return next((code for code, _ in codes.most_common() if code in REGIONS), None)
