"""What the overlay says when it refuses: one table of codes, in Chinese and English, with the remedy.

A refusal is stored as code, path and parameters, and put into words only when it is answered, so that a repeated
command answers the first result in the language of whoever asks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overlay.words import NAMES_ZH, OWNER_CODES, WORDS

__all__ = ["OWNER_CODES", "Language", "Problem", "RenderedProblem", "problem", "render"]

Language = str
"""`zh` or `en`."""


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    path: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None
    """Words of another party (an owner's custody book), passed on as they came."""
    remedy: str | None = None

    @property
    def transient(self) -> bool:
        return self.code in WORDS and WORDS[self.code].transient

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "path": list(self.path),
            "params": dict(self.params),
            "message": self.message,
            "remedy": self.remedy,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Problem:
        return Problem(data["code"], tuple(data["path"]), data["params"], data.get("message"), data.get("remedy"))


@dataclass(frozen=True, slots=True)
class RenderedProblem:
    code: str
    path: list[str]
    message: str
    remedy: str | None


def problem(code: str, *path: str, **params: str) -> Problem:
    if code not in WORDS:
        raise KeyError(f"the code {code} has no words")
    return Problem(code, path, params)


def render(item: Problem, language: Language) -> RenderedProblem:
    words = WORDS.get(item.code)
    if words is None or item.message is not None:
        return RenderedProblem(item.code, list(item.path), item.message or item.code, item.remedy)
    message, remedy, params = words.en, words.remedy_en, item.params
    if language == "zh":
        message, remedy = words.zh, words.remedy_zh
        params = {name: NAMES_ZH.get(value, value) for name, value in params.items()}
    return RenderedProblem(item.code, list(item.path), message.format_map(params), remedy.format_map(params))
