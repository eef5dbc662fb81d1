from __future__ import annotations

from tests.gateway.composition.composing import error, errors, group

TOTAL = "type Query {{ total: Total @gather(as: FOLD) }} type Total {{ {}: Float @fold(with: {}) }}"


def test_an_average_does_not_fold() -> None:
    for field, kind in (("value", "AVG"), ("averagePrice", "SUM"), ("priceAvg", "MAX"), ("mean_value", "SUM")):
        found = error(a=group(TOTAL.format(field, kind)))
        assert found.code == "PARTITION_AVERAGE"
        assert "sum and a count" in found.message


def test_words_that_only_begin_so() -> None:
    for field in ("meaning", "averaging", "meanwhile"):
        assert not errors(a=group(TOTAL.format(field, "SUM")))
