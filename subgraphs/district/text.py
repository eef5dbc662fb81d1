"""Free text: tokens, folded as stores fold what they search (NFKC, case), each with the names it may stand for.

The synonyms are data (`names.toml`): office clerks write 电脑, the catalogue says 台式计算机.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib import resources

from adapters.model import Filter, TextMatch
from subgraphs.kit.errors import BadInput

__all__ = ["fold", "parse_text"]

TEXT_LENGTH_MAX = 200
TOKENS_MAX = 16
_BREAKS = re.compile(r"[\s,，;；、。]+")


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def parse_text(text: str) -> Filter | None:
    """The condition of a free text; None when it holds no token."""
    if len(text) > TEXT_LENGTH_MAX:
        raise BadInput(f"a text to search for has at most {TEXT_LENGTH_MAX} characters")
    tokens = list(dict.fromkeys(token for token in _BREAKS.split(fold(text)) if token))
    if len(tokens) > TOKENS_MAX:
        raise BadInput(f"a text to search for has at most {TOKENS_MAX} words")
    return TextMatch(tuple(_alternatives(token) for token in tokens)) if tokens else None


def _alternatives(token: str) -> tuple[str, ...]:
    """The token itself first. What another alternative is part of is left out: it could match nothing more."""
    found = list(dict.fromkeys((token, *_synonyms().get(token, ()))))
    return tuple(one for one in found if not any(other != one and other in one for other in found))


@lru_cache(maxsize=1)
def _synonyms() -> dict[str, tuple[str, ...]]:
    data = tomllib.loads(resources.files("subgraphs.district").joinpath("names.toml").read_text(encoding="utf-8"))
    return {
        fold(word): tuple(fold(meaning) for meaning in entry["means"])
        for entry in data["synonym"]
        for word in entry["words"]
    }
