from __future__ import annotations

from tests.gateway.composition.composing import error, errors, group

TOTAL = "type Query {{ total: Total @gather(as: FOLD) }} type Total {{ x: {} @fold(with: {}) }}"


def test_kinds_that_do_not_fold_such_values() -> None:
    for type_name, kind in (("String", "SUM"), ("Boolean", "MAX"), ("Int", "ALL"), ("[Int]", "SUM")):
        assert error(a=group(TOTAL.format(type_name, kind))).code == "PARTITION_FOLD_TYPE"


def test_kinds_that_do() -> None:
    for type_name, kind in (("Float!", "SUM"), ("String", "MAX"), ("Boolean!", "ALL"), ("[Int]", "FIRST")):
        assert not errors(a=group(TOTAL.format(type_name, kind)))


def test_a_decimal_of_ones_own_is_summed() -> None:
    assert not errors(a=group(TOTAL.format("Decimal!", "SUM") + " scalar Decimal"))
