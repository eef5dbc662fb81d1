from __future__ import annotations

import pytest

from tests.gateway.composition.composing import error, errors, group

TOTAL = "type Query {{ total: Total @gather(as: FOLD) }} type Total {{ x: {} @fold(with: {}) }}"


def test_kinds_that_do_not_fold_such_values() -> None:
    for type_name, kind in (("String", "SUM"), ("Boolean", "MAX"), ("Int", "ALL"), ("[Int]", "SUM"), ("[Int]", "MIN")):
        assert error(a=group(TOTAL.format(type_name, kind))).code == "PARTITION_FOLD_TYPE"


@pytest.mark.parametrize("name", ["Date", "DateTime"])
def test_days_and_times_have_a_least_and_a_greatest_but_no_sum(name: str) -> None:
    for kind in ("MIN", "MAX"):
        assert not errors(a=group(TOTAL.format(name, kind) + f" scalar {name}"))
    found = error(a=group(TOTAL.format(name, "SUM") + f" scalar {name}"))
    assert found.code == "PARTITION_FOLD_TYPE"
    assert "Int, Float and Decimal" in found.message


def test_scalars_whose_order_nobody_knows() -> None:
    for kind in ("SUM", "MIN"):
        assert error(a=group(TOTAL.format("Weight", kind) + " scalar Weight")).code == "PARTITION_FOLD_TYPE"
    assert not errors(a=group(TOTAL.format("Weight", "FIRST") + " scalar Weight"))


def test_kinds_that_do() -> None:
    for type_name, kind in (("Float!", "SUM"), ("String", "MAX"), ("Boolean!", "ALL"), ("[Int]", "FIRST")):
        assert not errors(a=group(TOTAL.format(type_name, kind)))


def test_a_decimal_of_ones_own_is_summed() -> None:
    assert not errors(a=group(TOTAL.format("Decimal!", "SUM") + " scalar Decimal"))
