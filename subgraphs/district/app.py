"""One district's subgraph as an ASGI app: a store and a custody book behind the contract that all members share.

    store = open_store(load_mapping(path)); await store.open()
    book = CustodyBook("sqlite:///custody/330106.sqlite", "330106"); await book.open()
    app = create_district_app(store, book, DistrictOptions(internal_public_pem=…, rule_public_pem=…))

Store and book are opened and closed by whoever made them. One schema object serves every member in the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import Any

import strawberry
from starlette.applications import Starlette

from adapters.model import Store, StoreError, StoreUnavailable
from contract.identity import TokenVerifier
from contract.rules import RuleVerifier
from subgraphs.district.custody.book import CustodyBook
from subgraphs.district.custody.database import BookUnavailable
from subgraphs.district.lookups import ENTITIES
from subgraphs.district.member import Clock, DistrictContext, Member, utc_now
from subgraphs.district.mutations import Mutation
from subgraphs.district.queries import Query, VirtualWarehouseView
from subgraphs.district.types import DateRange
from subgraphs.kit.app import SubgraphOptions, create_subgraph_app
from subgraphs.kit.caller import Caller
from subgraphs.kit.errors import CodedError
from subgraphs.kit.scalars import SCALARS
from subgraphs.kit.served import ServedSchema, strawberry_config

__all__ = ["DistrictOptions", "create_district_app", "district_schema", "district_sdl"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictOptions:
    internal_public_pem: str | None = None
    """Verifies the identity that the gateway hands on; without it every caller is anonymous."""
    rule_public_pem: str | None = None
    """Verifies the rules of virtual warehouses; without it there are no views."""
    clock: Clock = utc_now
    serving: SubgraphOptions = field(default_factory=SubgraphOptions)


def create_district_app(store: Store, book: CustodyBook, options: DistrictOptions | None = None) -> Starlette:
    """The app of one member, with `/graphql` and `/health`."""
    options = options or DistrictOptions()
    if store.region != book.region:
        raise ValueError(f"the store is of region {store.region}, the custody book of {book.region}")
    rules = None if options.rule_public_pem is None else RuleVerifier(options.rule_public_pem)
    member = Member(store, book, rules, options.clock)

    def context(caller: Caller) -> DistrictContext:
        return DistrictContext(caller, member)

    async def health() -> Mapping[str, Any]:
        state = await store.health()
        return {
            "status": state.state,
            "region": store.region,
            "asOf": _instant(state.data_as_of),
            "lastGoodLoad": _instant(state.last_good_load),
            "buildSeconds": state.build_s,
            "rows": state.rows,
            "unreadable": state.unreadable,
            "fault": None if state.fault is None else {"code": state.fault.code, "message": state.fault.message},
            "capabilities": store.capabilities.as_dict(),
        }

    return create_subgraph_app(
        district_schema(),
        verifier=None if options.internal_public_pem is None else TokenVerifier(options.internal_public_pem),
        context_factory=context,
        classify=_classify,
        health=health,
        options=options.serving,
    )


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=1)
def district_schema() -> ServedSchema:
    """The one schema object, shared by all members: it holds no member's state, only caches of documents."""
    schema = strawberry.Schema(
        Query,
        mutation=Mutation,
        types=[VirtualWarehouseView, DateRange],
        config=strawberry_config(),
        scalar_overrides=SCALARS,
    )
    return ServedSchema(schema, district_sdl(), ENTITIES)


def district_sdl() -> str:
    """The published contract."""
    return resources.files("schema").joinpath("district.graphql").read_text(encoding="utf-8")


def _classify(error: BaseException) -> CodedError | None:
    """Codes for what a store or the book raises. A store's message holds no password and no row, so it may be shown."""
    if isinstance(error, StoreUnavailable):
        return CodedError("the legacy store does not answer; try again later", code="STORE_UNAVAILABLE")
    if isinstance(error, StoreError):
        return CodedError(str(error), code=error.code)
    if isinstance(error, BookUnavailable):
        return CodedError("the custody book does not answer; try again later", code="BOOK_UNAVAILABLE")
    return None
