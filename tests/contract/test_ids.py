import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ids import GlobalId, InvalidId, format_id, parse_id


@given(st.text(min_size=1, max_size=20))
def test_any_native_key_survives_the_id(native: str) -> None:
    try:
        native.encode()
    except UnicodeEncodeError:
        return
    text = format_id("asset", "330106", native)
    assert parse_id(text) == GlobalId("asset", "330106", native)
    assert text.count(":") == 2


@pytest.mark.parametrize(
    "text",
    ["", "asset", "asset:330106", "asset::x", ":330106:x", "asset:330106:", "asset:330106:a:b", "asset:330106:资产"],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        parse_id(text)


def test_a_second_spelling_of_an_id_is_refused() -> None:
    parse_id("asset:330106:TY%2F1")
    with pytest.raises(InvalidId):
        parse_id("asset:330106:TY%2f1")
    with pytest.raises(InvalidId):
        parse_id("asset:330106:%41")


def test_an_id_of_another_type_is_refused() -> None:
    with pytest.raises(InvalidId, match="expected 'asset'"):
        parse_id("unit:330106:1", "asset")
