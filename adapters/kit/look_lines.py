"""Looking into a folder of exported documents (JSON lines): a file is a collection, its first documents are read."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from adapters.documents.lines import LINES_SUFFIX, read_documents
from adapters.kit.exports import lines_of, ready_suffix_of
from adapters.kit.look_documents import columns_of
from adapters.kit.survey import SAMPLE_ROWS, TABLES_MAX, Budget, StoreUrl, TableSurvey
from adapters.model import StoreError

__all__ = ["look_into_lines"]


async def look_into_lines(url: StoreUrl, budget: Budget) -> list[TableSurvey]:
    return await asyncio.to_thread(_look, url, budget)


def _look(url: StoreUrl, budget: Budget) -> list[TableSurvey]:
    files = sorted(Path(url.full).glob(f"*{LINES_SUFFIX}"))
    found = []
    for done, file in enumerate(files[:TABLES_MAX]):
        budget.progress(file.name, done, len(files))
        try:
            found.append(_collection(file))
        except (OSError, StoreError) as error:
            budget.notes.append(f"{file.name} was not read: {error}")
    return found


def _collection(file: Path) -> TableSurvey:
    documents = list(itertools.islice(read_documents(file), SAMPLE_ROWS))
    rows, is_estimated = lines_of(file)
    return TableSurvey(
        file.stem,
        columns_of(documents),
        rows,
        is_estimated,
        key=("_id",),
        ready_suffix=ready_suffix_of(file),
    )
