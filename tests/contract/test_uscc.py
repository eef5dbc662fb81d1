import pytest

from contract.uscc import check_character, is_valid_uscc


def test_the_standards_vector() -> None:
    assert check_character("91350100M000100Y4") == "3"
    assert is_valid_uscc("91350100M000100Y43")


@pytest.mark.parametrize(
    "code", ["", "91350100M000100Y44", "91350100M000100Y4", "91350100I000100Y43", "91350100m000100Y43"]
)
def test_wrong_codes_are_refused(code: str) -> None:
    assert not is_valid_uscc(code)
