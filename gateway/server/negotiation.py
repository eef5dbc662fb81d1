"""Which media type to answer with, by the `Accept` header and the GraphQL-over-HTTP specification."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

__all__ = ["APPLICATION_JSON", "GRAPHQL_RESPONSE", "Unacceptable", "choose_media_type", "wants_page"]

GRAPHQL_RESPONSE = "application/graphql-response+json"
APPLICATION_JSON = "application/json"
_OURS = (APPLICATION_JSON, GRAPHQL_RESPONSE)


class Unacceptable(Exception):
    """The client accepts nothing that we can give."""


@lru_cache(maxsize=256)
def choose_media_type(accept: str | None) -> str:
    """The type the client weighs highest; of equals, the one it names first, else JSON. Raises `Unacceptable`.

    What is named outweighs what a wildcard says, so `application/json;q=0, */*` means the other type.
    """
    if not accept or not accept.strip():
        return APPLICATION_JSON
    weights = dict(_weighed(accept))
    named = [one for one in weights if one in _OURS]
    order = sorted(_OURS, key=lambda one: named.index(one) if one in named else len(named))
    best = max(order, key=lambda one: _weight_of(one, weights))
    if _weight_of(best, weights) <= 0:
        raise Unacceptable
    return best


def _weight_of(media_type: str, weights: Mapping[str, float]) -> float:
    for pattern in (media_type, "application/*", "*/*"):
        if pattern in weights:
            return weights[pattern]
    return 0.0


@lru_cache(maxsize=256)
def wants_page(accept: str) -> bool:
    """A browser asks for a page: `text/html`, before any JSON."""
    weights = dict(_weighed(accept))
    html = weights.get("text/html", 0.0)
    return html > 0 and html >= max(weights.get(GRAPHQL_RESPONSE, 0.0), weights.get(APPLICATION_JSON, 0.0))


def _weighed(accept: str) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for entry in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
                weight = weight if 0 <= weight <= 1 else 0.0  # Not a number, too.
        found.append((media_type, weight))
    return found
