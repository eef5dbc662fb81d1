"""What values look like, bad ones among them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from adapters.kit.guess_values import class_scheme, date_formats, says_of
from adapters.kit.shapes import shape_of


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2019-03-05", "2019/3/5", "2019年3月5日"], "ymd"),
        ([date(2019, 3, 5)], "ymd"),
        (["20190305", "20201231"], "compact"),
        ([1551715200, "1551715200"], "epoch_s"),
        ([43529, 43530.0], "excel"),
        (["台", "把"], "measure"),
        (["张伟", "欧阳雪", "李小明"], "person"),
        (["5号楼915室", "主楼301室"], "place"),
        (["A02010104", "A06020101"], "class 2010"),
        (["2010104", "6020101"], "class 2010"),
        (["°ì¹«×À"], "mojibake"),
        (["330102", "330104"], "region"),
    ],
)  # fmt: skip
def test_a_form_is_seen(values: list[object], form: str) -> None:
    assert shape_of(values).share(form) >= 0.5


def test_empty_values_count_for_nothing() -> None:
    shape = shape_of([None, "", "  ", "1.50", Decimal("2.5"), "￥1,200.00"])
    assert (shape.total, shape.filled, shape.share("number")) == (6, 3, 1.0)
    assert shape.median == Decimal("2.5")


def test_a_list_of_codes_is_short_and_repeats() -> None:
    assert shape_of(["1", "2", "1", "1", "2", "1"]).is_code_like
    assert not shape_of([str(n) for n in range(40)]).is_code_like


def test_of_several_date_forms_the_most_frequent_is_first() -> None:
    assert date_formats(shape_of(["20190305"] * 3 + ["2019-03-05"])) == ("compact", "ymd")
    # A day written as a number is no second of 1970.
    assert date_formats(shape_of([20190305] * 4)) == ("compact",)


def test_the_same_codes_of_two_generations_are_told_by_the_others() -> None:
    both = ["A02010104", "A02010105"]
    assert class_scheme(shape_of([*both, "A06020101"]))[0] == "2010"
    assert class_scheme(shape_of([*both, "A05010201"]))[0] == "2022"
    scheme, share, next_share = class_scheme(shape_of(both))
    assert share == next_share == 1.0, scheme


def test_values_speak_against_a_wrong_name() -> None:
    assert says_of("unitOfMeasure", shape_of(["财政局", "教育局"])).weight < 0
    assert says_of("acquiredOn", shape_of(["A1", "B2", "C3"])).weight < 0
    assert says_of("secrecy", shape_of(["公开", "秘密"] * 3)).weight > 0.5
    assert says_of("name", shape_of([])).weight == 0
