"""The unified social credit code (统一社会信用代码), GB 32100-2015: 18 characters, the last one a check character."""

from __future__ import annotations

__all__ = ["check_character", "is_valid_uscc"]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))


def check_character(body: str) -> str:
    """The check character of the first 17 characters. Raises ValueError on a character outside the alphabet."""
    if len(body) != 17:
        raise ValueError("the body of a USCC has 17 characters")
    total = sum(ALPHABET.index(character) * weight for character, weight in zip(body, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def is_valid_uscc(code: str) -> bool:
    if len(code) != 18:
        return False
    try:
        return check_character(code[:17]) == code[17]
    except ValueError:
        return False
