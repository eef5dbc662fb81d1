"""Which media type to answer with, by the `Accept` header and the GraphQL-over-HTTP specification."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["APPLICATION_JSON", "GRAPHQL_RESPONSE", "Unacceptable", "choose_media_type", "wants_page"]

GRAPHQL_RESPONSE = "application/graphql-response+json"
APPLICATION_JSON = "application/json"


class Unacceptable(Exception):
    """The client accepts nothing that we can give."""


@lru_cache(maxsize=256)
def choose_media_type(accept: str | None) -> str:
    """The type the client weighs highest; JSON when it does not say. Raises `Unacceptable`."""
    if not accept or not accept.strip():
        return APPLICATION_JSON
    best, best_weight = "", 0.0
    for media_type, weight in _weighed(accept):
        if weight <= best_weight:
            continue
        if media_type in (GRAPHQL_RESPONSE, APPLICATION_JSON):
            best, best_weight = media_type, weight
        elif media_type in ("*/*", "application/*"):
            best, best_weight = best or APPLICATION_JSON, weight
    if not best:
        raise Unacceptable
    return best


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
        found.append((media_type, weight))
    return found
