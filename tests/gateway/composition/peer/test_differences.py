"""The table of justified differences names tests that exist (whether each still differs, the tests themselves say)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.composition.peer.differences import DIFFERENCES

ERRORS = Path(__file__).parent.parent / "errors"


@pytest.mark.parametrize("name", DIFFERENCES)
def test_each_row_is_a_test(name: str) -> None:
    file, function = name.split("::")
    assert f"def {function}(" in (ERRORS / file).read_text(encoding="utf-8")
