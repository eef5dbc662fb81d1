"""Names as vendors write them: characters, pinyin whole, shortened or by initials, English, comments."""

from __future__ import annotations

import pytest

from adapters.canonical import CANONICAL_FIELDS
from adapters.kit.words import code_value, names_of


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("资产名称", "name"), ("zcmc", "name"), ("ZC_MC", "name"), ("F_ZCMC", "name"), ("ZICMC", "name"),
        ("zichanmingcheng", "name"), ("asset_name", "name"), ("assetName", "name"), ("zcbh", "code"), ("GUIGXH", "specification"),
        ("gzrq", "acquiredOn"), ("purchase_date", "acquiredOn"), ("ljzj", "accumulatedDepreciation"),
        ("original_value_fen", "originalValue"), ("bgr", "keeper"), ("jldw", "unitOfMeasure"), ("ISLASTEST", "latest"),
        ("deleted_at", "deleted"), ("tyshxydm", "uscc"), ("model_number", "model"),
    ],
)  # fmt: skip
def test_a_column_is_known_by_its_name(name: str, target: str) -> None:
    assert names_of(name)[0].target == target


def test_a_comment_says_more_than_a_name() -> None:
    assert names_of("cf7", "密级（0公开）")[0].target == "secrecy"
    assert names_of("dw", "计量单位")[0].target == "unitOfMeasure"


def test_two_letters_say_less_than_four() -> None:
    assert names_of("pp")[0].score < names_of("zcmc")[0].score < names_of("资产名称")[0].score


@pytest.mark.parametrize("name", ["x", "col17", "备注", "", "名"])
def test_an_unknown_name_says_nothing(name: str) -> None:
    assert names_of(name) == []


def test_words_of_codes_are_values_of_the_contract() -> None:
    assert code_value("status", "在用") == "IN_USE"
    assert code_value("status", " 在用 ") == "IN_USE"
    assert code_value("shareable", "是") == "true"
    assert code_value("status", "不知道") is None
    for field in ("status", "condition", "acquisition", "source", "valueType"):
        for value in CANONICAL_FIELDS[field].values:
            assert code_value(field, value.lower()) in (value, None)
