"""`docs/composition-errors.md` has every code that composition can give, and each error's code has a test of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "composition-errors.md").read_text(encoding="utf-8")
SOURCES = [*(ROOT / "gateway" / "composition").rglob("*.py"), ROOT / "gateway" / "supergraph" / "inaccessible.py"]
TESTED = {path.stem.removeprefix("test_").upper() for path in (Path(__file__).parent / "errors").glob("test_*.py")}
FIELD_SETS = ("KEY", "REQUIRES", "PROVIDES")
BOTH = {"CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS"}
"""An error where the argument is required, a hint where it is not; Apollo's documentation has it twice, too."""
NO_CODES = {"FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "INPUT_FIELD", "VARIABLE_DEFINITION"}
"""Constants of the same look: kinds of GraphQL nodes."""


CODE = re.compile(r"[A-Z]+(_[A-Z]+)+")


def told(rows: str) -> list[str]:
    return re.findall(r"^\| `([A-Z_0-9]+)` \|", rows, re.MULTILINE)


ERRORS, HINTS = (told(part) for part in PAGE.split("\n## Hints\n"))


def written() -> Iterator[str]:
    """Every text in the sources that looks like a code; those of field sets and groups get their first word later."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
                yield from (one for one in texts if isinstance(one, str) and CODE.fullmatch(one))


def test_each_error_of_the_page_has_a_test_and_each_test_its_line() -> None:
    assert sorted(ERRORS) == sorted(TESTED)


def test_no_code_of_the_sources_is_missing_on_the_page() -> None:
    known = {*ERRORS, *HINTS}
    found = set(written()) - NO_CODES
    assert len(found) > 60
    unknown = {
        code for code in found if not {code, f"PARTITION_{code}", *(f"{first}_{code}" for first in FIELD_SETS)} & known
    }
    assert unknown == set()


def test_every_hint_is_given_somewhere() -> None:
    assert set(HINTS) <= set(written())
    assert set(HINTS) & set(ERRORS) == BOTH
