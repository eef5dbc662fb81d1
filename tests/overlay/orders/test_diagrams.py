"""The diagrams in the documentation are those of the table."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import build_schema

from overlay.orders.diagrams import BEGIN, END, renewed
from overlay.orders.machine import TRANSITIONS

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "flows.md").read_text(encoding="utf-8")


def test_the_document_is_drawn_from_the_table() -> None:
    assert renewed(DOCUMENT) == DOCUMENT, "run: python -m overlay.orders.diagrams"


def test_every_move_of_the_table_is_in_the_document() -> None:
    for row in TRANSITIONS:
        assert f"| {row.command} |" in DOCUMENT
        for target in row.to:
            if row.state is not None and target is not row.state:
                assert f"  {row.state} --> {target}: " in DOCUMENT


def test_every_mutation_of_an_order_is_in_the_document() -> None:
    mutations = build_schema((ROOT / "schema" / "api.graphql").read_text(encoding="utf-8")).mutation_type
    assert mutations is not None
    of_orders = {name for name, field in mutations.fields.items() if str(field.type) == "OrderPayload!"}
    assert of_orders
    assert {name for name in of_orders if f"`{name}`" not in DOCUMENT} == set()


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="between"):
        renewed(DOCUMENT.replace(BEGIN, "").replace(END, ""))
