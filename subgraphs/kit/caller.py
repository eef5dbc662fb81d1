"""Who asks, in which language, and how long they wait: what every resolver may need to know of a request."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from contract.identity import ANONYMOUS, DEADLINE_HEADER, IDENTITY_HEADER, Identity, InvalidToken, TokenVerifier
from subgraphs.kit.errors import BadInput, Unauthenticated

__all__ = ["Caller", "Language", "read_caller"]

Language = Literal["zh", "en"]


@dataclass(slots=True)
class Caller:
    """One request's caller. Serves as the GraphQL context where an application needs nothing more."""

    identity: Identity = ANONYMOUS
    language: Language = "zh"
    deadline: float | None = None
    """When the caller stops waiting, by `time.monotonic()`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    """What resolvers of one request share, such as data loaders; see `once`."""

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """The request's own instance of something: made when first asked for."""
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    def renewed(self) -> Caller:
        """The same caller without what was kept: for the next event of a subscription."""
        return Caller(self.identity, self.language, None, self.headers)


def read_caller(headers: Mapping[str, str], verifier: TokenVerifier | None, deadline_s_max: float) -> Caller:
    """Raises `Unauthenticated` for a bad token, `BadInput` for a bad deadline. Header names are lower case."""
    return Caller(
        identity=_identity(headers.get(IDENTITY_HEADER), verifier),
        language=preferred_language(headers.get("accept-language")),
        deadline=time.monotonic() + _remaining_s(headers.get(DEADLINE_HEADER), deadline_s_max),
        headers=headers,
    )


def _identity(token: str | None, verifier: TokenVerifier | None) -> Identity:
    if token is None:
        return ANONYMOUS
    if verifier is None:
        raise Unauthenticated(f"this server knows no key to check the header {IDENTITY_HEADER} with; send none")
    try:
        return verifier.verify(token)
    except InvalidToken as error:
        raise Unauthenticated(f"the header {IDENTITY_HEADER} is refused: {error}") from None


def _remaining_s(text: str | None, deadline_s_max: float) -> float:
    if text is None:
        return deadline_s_max
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadInput(f"the header {DEADLINE_HEADER} must be a count of milliseconds")
    return min(int(text) / 1000, deadline_s_max)


def preferred_language(header: str | None) -> Language:
    """zh or en by `Accept-Language` (RFC 9110); zh when neither is asked for."""
    best: Language = "zh"
    best_weight = 0.0
    for part in (header or "")[:500].split(","):
        tag, _, parameters = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameters)
        if weight > best_weight and language in ("zh", "en"):
            best, best_weight = "en" if language == "en" else "zh", weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if math.isfinite(weight) else 0.0
