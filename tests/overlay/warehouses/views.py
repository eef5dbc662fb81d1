"""Districts that show views: a group endpoint faked at the transport, its documents checked against the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import extend_schema, parse, validate

from contract.identity import IDENTITY_HEADER, Identity, TokenVerifier
from contract.rules import RuleVerifier
from overlay.group.endpoint import OutcomeUnknown
from tests.overlay.city import INTERNAL, RULE, SCHEMA

SERVED = extend_schema(
    SCHEMA,
    parse(
        "scalar _Any union _Entity = VirtualWarehouseView "
        "extend type Query { _entities(representations: [_Any!]!): [_Entity]! }"
    ),
    assume_valid_sdl=True,
)


class Views:
    """`rows`: what each region shows; `own`: what only identities of a unit are shown."""

    def __init__(self, page_size: int = 2) -> None:
        self.rows: dict[str, set[str]] = {}
        self.own: dict[str, set[str]] = {}
        self.down: set[str] = set()
        self.down_after: tuple[int, str] | None = None
        """After so many pages this region falls silent."""
        self.is_away = False
        self.reads = 0
        self._page_size = page_size
        self._internal, self._rules = TokenVerifier(INTERNAL[1]), RuleVerifier(RULE[1])

    def show(self, *assets: str) -> None:
        for asset in assets:
            self.rows.setdefault(asset.split(":")[1], set()).add(asset)

    def hide(self, asset: str) -> None:
        self.rows[asset.split(":")[1]].discard(asset)

    async def execute(
        self,
        document: str,
        variables: Mapping[str, Any],
        *,
        headers: Mapping[str, str],
        timeout_s: float,
        idempotency_key: str | None = None,
    ) -> Mapping[str, Any]:
        assert validate(SERVED, parse(document)) == []
        if self.is_away:
            raise OutcomeUnknown("timeout")
        identity = self._internal.verify(headers[IDENTITY_HEADER])
        (view,) = variables["view"]
        self._rules.verify(view["rule"]["token"])
        if variables["after"] is None:
            self.reads += 1
        page = self._page(identity, variables["after"])
        self._count_down()
        return {"data": {"_entities": [{"assets": page}]}}

    def _count_down(self) -> None:
        if self.down_after is not None:
            pages, region = self.down_after
            self.down_after = (pages - 1, region) if pages > 1 else None
            if self.down_after is None:
                self.down.add(region)

    def _page(self, identity: Identity, after: str | None) -> dict[str, Any]:
        shown = {one for region, rows in self.rows.items() if region not in self.down for one in rows}
        rest = sorted(one for one in shown | self.own.get(str(identity.unit), set()) if after is None or one > after)
        page = rest[: self._page_size]
        sources = [{"region": region, "status": "UNAVAILABLE" if region in self.down else "OK"} for region in self.rows]
        info = {"hasNextPage": len(rest) > len(page), "endCursor": page[-1] if page else after}
        return {"nodes": [{"id": one} for one in page], "pageInfo": info, "sources": sources}
