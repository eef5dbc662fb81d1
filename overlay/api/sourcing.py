"""Proposed sources in the contract: what a clerk sees before applying."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from contract.decimals import format_decimal
from contract.ids import parse_id
from overlay.api.context import Context
from overlay.api.inputs import LoanSourcesInput, to_plain
from overlay.api.types import Asset, Info
from overlay.messages import render
from overlay.orders.commands.base import Desk
from overlay.orders.commands.checks import refusal_of_range
from overlay.orders.model import Flow
from overlay.sourcing.lines import Proposal, propose, read_wants
from overlay.sourcing.plan import Place
from subgraphs.kit.errors import BadInput, Unauthenticated
from subgraphs.kit.scalars import Decimal

__all__ = ["SourcingQuery"]


@strawberry.type
class ProposedSource:
    want: int
    asset_id: strawberry.ID
    asset: Asset | None
    region_code: strawberry.ID
    quantity: Decimal


@strawberry.type
class SourceStop:
    region_code: strawberry.ID
    place: strawberry.ID


@strawberry.type
class SourceProposal:
    sources: list[ProposedSource]
    missing: list[Decimal]
    stops: list[SourceStop]
    is_fewest: bool
    unanswered: list[strawberry.ID]


@strawberry.type
class SourcingQuery:
    @strawberry.field
    async def loan_sources(self, info: Info, input: LoanSourcesInput) -> SourceProposal | None:
        context, body = info.context, to_plain(input)
        if context.identity.is_anonymous:
            raise Unauthenticated("sources are proposed to people who have signed in; send an access token")
        desk, days = _desk(context), body["range"]
        window = date.fromisoformat(days["from"]), date.fromisoformat(days["to"])
        refusal = refusal_of_range(window, desk.limits(Flow.LOAN), desk.today)
        wants, problems = read_wants(list(enumerate(body["wants"])), "wants")
        if refusal is not None:
            problems.insert(0, refusal)
        if problems or not wants:
            said = render(problems[0], context.language).message if problems else "wants is empty"
            raise BadInput(f"{'.'.join(('input', *problems[0].path)) if problems else 'input.wants'}: {said}")
        return _row(await propose(desk, Flow.LOAN, wants, window))


def _desk(context: Context) -> Desk:
    services = context.services
    return Desk(services.custody, services.policy, services.clock(), context.identity, {})


def _row(proposal: Proposal) -> SourceProposal:
    plan, found = proposal
    sources = [
        {
            "want": take.want,
            "asset_id": take.asset_id,
            "asset": {"id": take.asset_id},
            "region_code": parse_id(take.asset_id).region,
            "quantity": format_decimal(take.quantity),
        }
        for take in plan.takes
    ]
    return {  # type: ignore[return-value]
        "sources": sources,
        "missing": [format_decimal(missing) for missing in plan.missing],
        "stops": [_stop(place) for place in plan.places],
        "is_fewest": plan.is_fewest,
        "unanswered": list(found.unanswered),
    }


def _stop(place: Place) -> dict[str, Any]:
    return {"region_code": place.region, "place": place.id}
