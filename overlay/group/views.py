"""Which assets a view shows, read page by page from the districts, with the regions whose answer is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from contract.identity import DEADLINE_HEADER, IDENTITY_HEADER, Identity, TokenIssuer
from overlay.group.endpoint import GroupAnswer, GroupEndpoint

__all__ = ["Seen", "ViewReader", "ViewTooLarge"]

_log = structlog.get_logger(__name__)
_DOCUMENT = """query StandingQuery($view: [_Any!]!, $after: String, $first: Int!) { _entities(representations: $view) {
  ... on VirtualWarehouseView { assets(first: $first, after: $after) {
    nodes { id } pageInfo { hasNextPage endCursor } sources { region status } } } } }"""
_PAGE_SIZE = 500


class ViewTooLarge(Exception):
    """The view shows more assets than a caller is ready to take."""


@dataclass(frozen=True, slots=True)
class Seen:
    assets: frozenset[str]
    regions: frozenset[str]
    """Those that answered every page: of them, what is not in `assets` is not in the view."""
    silent: frozenset[str]
    """The others that were asked."""


class ViewReader:
    def __init__(self, endpoint: GroupEndpoint, issuer: TokenIssuer, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._issuer = issuer
        self._timeout_s = timeout_s

    async def read(self, view_id: str, rule: Mapping[str, Any], sight: Identity, assets_max: int) -> Seen | None:
        """All ids that a view shows to a sight; None when the districts did not answer. Raises `ViewTooLarge`."""
        view = [{"__typename": "VirtualWarehouseView", "id": view_id, "rule": rule}]
        found: set[str] = set()
        whole: set[str] | None = None
        asked: set[str] = set()
        after: str | None = None
        while True:
            page = await self._page(view, after, sight)
            if page is None:
                return None
            found.update(node["id"] for node in page["nodes"])
            if len(found) > assets_max:
                raise ViewTooLarge
            asked.update(source["region"] for source in page["sources"])
            answered = {source["region"] for source in page["sources"] if source["status"] == "OK"}
            whole = answered if whole is None else whole & answered
            following = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"] or following == after:
                return Seen(frozenset(found), frozenset(whole), frozenset(asked - whole))
            after = following

    async def _page(self, view: Any, after: str | None, sight: Identity) -> Mapping[str, Any] | None:
        headers = {
            IDENTITY_HEADER: self._issuer.issue(sight),
            DEADLINE_HEADER: str(int(self._timeout_s * 1000)),
        }
        variables = {"view": view, "after": after, "first": _PAGE_SIZE}
        try:
            answer: GroupAnswer = await self._endpoint.execute(
                _DOCUMENT, variables, headers=headers, timeout_s=self._timeout_s
            )
        except Exception as error:  # whatever the transport says, nothing was read
            _log.warning("standing_query_failed", error=repr(error))
            return None
        entities = (answer.get("data") or {}).get("_entities") or [None]
        page: Mapping[str, Any] | None = (entities[0] or {}).get("assets")
        if page is None:
            _log.warning("standing_query_failed", errors=answer.get("errors"))
        return page
