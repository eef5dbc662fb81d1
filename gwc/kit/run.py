"""The work of the `gwc adapter` commands: open, ask the kit, print. Status 2 where a store or a mapping cannot be read."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from adapters.kit.check import CheckOptions, check_mapping
from adapters.kit.draft import Draft, write_draft
from adapters.kit.inspect import inspect_store
from adapters.kit.raw import first_rows, has_raw_rows
from adapters.kit.survey import Budget, Survey, SurveyError, read_url
from adapters.mapping import MappingError, load_mapping
from adapters.mapping.model import Mapping
from adapters.model import StoreError
from gwc.errors import CommandError
from gwc.kit.console import open_console, progress_bar
from gwc.kit.holds import HOLDS_CHECK
from gwc.kit.show import preview_lines, report_lines, survey_lines

__all__ = ["CANNOT_RUN", "check", "inspect", "next_lines", "preview", "refuse_to_overwrite", "survey_of", "write_new"]

CANNOT_RUN = 2
T = TypeVar("T")


def survey_of(url: str, seconds: float) -> Survey:
    with progress_bar("inspect") as progress:
        try:
            return asyncio.run(inspect_store(read_url(url), Budget(seconds, time.monotonic, progress)))
        except SurveyError as error:
            raise CommandError(f"{error}.", error.remedy or None, CANNOT_RUN) from None


def inspect(url: str, out: Path | None, region: str | None, table: str | None, seconds: float, force: bool) -> None:
    """The listing goes to standard output; without a file to write, the draft does, and the listing to standard error."""
    if out is not None:
        refuse_to_overwrite(out, force)
    survey = survey_of(url, seconds)
    _check_table(survey, table)
    draft = write_draft(survey, out or Path.cwd() / "draft.toml", region, table)
    console = open_console(sys.stderr if out is None else None)
    for line in survey_lines(survey, draft):
        console.print(line)
    if out is None:
        print(draft.text, end="")
        return
    write_new(out, draft.text)
    for line in next_lines(out, draft):
        console.print(line)


def _check_table(survey: Survey, table: str | None) -> None:
    if table is not None and survey.table(table) is None:
        names = ", ".join(one.name for one in survey.tables)
        raise CommandError(f"There is no table {table}.", f"There are: {names}", CANNOT_RUN)


def refuse_to_overwrite(out: Path, force: bool) -> None:
    if out.exists() and not force:
        raise CommandError(
            f"{out} is there already.", "Choose another --out, or add --force to write over it.", CANNOT_RUN
        )


def write_new(out: Path, text: str) -> None:
    """The whole file or none, whenever the command is ended."""
    beside = out.with_name(f".{out.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        raise CommandError(
            f"{out} cannot be written ({error.strerror}).", "Choose another --out.", CANNOT_RUN
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def next_lines(out: Path, draft: Draft) -> list[str]:
    lines = ["", f"{out}: a draft with {draft.todos} lines marked TODO. It lists nothing until [secrecy] is decided."]
    try:
        load_mapping(out)
    except MappingError as error:
        return [*lines, f"It does not load yet: {error}"]
    return [
        *lines,
        "Next:",
        f"  gwc adapter preview {out}",
        f"  gwc adapter check {out}",
        f"  gwc district --mapping {out}",
    ]


def preview(mapping_path: Path, store_url: str | None, limit: int) -> None:
    mapping = _loaded(mapping_path, store_url)
    if not has_raw_rows(mapping):
        raise CommandError(f"A {mapping.store.engine} store shows no raw rows.", "Use `gwc adapter check`.", CANNOT_RUN)
    console = open_console()
    with progress_bar("preview") as progress:
        rows = _run(first_rows(mapping, limit, progress))
    if not rows:
        console.print("No row is open: all are secret, are no assets (source.rows), or the store is empty.")
        if mapping.secrecy.column is not None and not mapping.secrecy.open:
            console.print("[secrecy] open is empty, so every row is secret: decide it in the mapping, then look again.")
        return
    for line in preview_lines(mapping, rows):
        console.print(line)


def check(mapping_path: Path, store_url: str | None, as_json: bool, rows: int, page_ms: float) -> bool:
    """Print the report; whether the store conforms."""
    mapping = _loaded(mapping_path, store_url)
    with progress_bar("check") as progress:
        options = CheckOptions(rows_max=rows, page_ms_max=page_ms, progress=progress)
        report = _run(check_mapping(mapping, more=(HOLDS_CHECK,), options=options))
    if as_json:
        print(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
        return report.is_conforming
    console = open_console()
    for line in report_lines(report):
        console.print(line)
    return report.is_conforming


def _loaded(path: Path, store_url: str | None) -> Mapping:
    try:
        return load_mapping(path, store_url)
    except MappingError as error:
        raise CommandError(f"{error}", None, CANNOT_RUN) from None


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except (MappingError, StoreError) as error:
        raise CommandError(f"The store cannot be read: {error}", None, CANNOT_RUN) from None
    except Exception as error:  # an adapter of somebody else's; its message may hold anything
        remedy = "Run the kit from a test of the adapter's own to see where: docs/joining.md"
        raise CommandError(f"The adapter failed ({type(error).__name__}).", remedy, CANNOT_RUN) from None
