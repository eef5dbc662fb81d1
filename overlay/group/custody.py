"""What the overlay asks of the owners: the facts of an asset, and the commands on its custody book.

Every command ends in one of three values: `Done`, `Refused`, or `Unknown`. Unknown is not a failure: the book may
have done it, so nothing may be concluded; the same command with the same idempotency key is sent again later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import structlog

from contract.decimals import format_decimal, parse_decimal
from contract.identity import DEADLINE_HEADER, IDENTITY_HEADER, Identity, Role, TokenIssuer
from overlay.group.endpoint import GroupAnswer, GroupEndpoint, GroupUnreachable, codes_of
from overlay.group.facts import AssetFacts, FactsReader, Unavailable, Window, quantity_of
from overlay.messages import Problem, problem

__all__ = [
    "LOOK",
    "AssetState",
    "CommandResult",
    "Custody",
    "Done",
    "Refused",
    "Unknown",
]

_log = structlog.get_logger(__name__)

SERVICE_IDENTITY = Identity(person="overlay", roles=frozenset({Role.SERVICE}))
_CALL_TIMEOUT_S = 8.0
LOOK = "LOOK"
"""A step that only asks: how many are free throughout a range. A book that does not answer has none."""

_HOLD = "hold { id state expiresAt } problems { code path message remedy }"
_MOVED = "writtenBack problems { code path message remedy }"
_DOCUMENTS: dict[str, tuple[str, str]] = {
    "PLACE": (
        "placeHold",
        f"mutation PlaceHold($input: PlaceHoldInput!) {{ placeHold(input: $input) {{ {_HOLD} }} }}",
    ),
    "RENEW": (
        "renewHold",
        f"mutation RenewHold($input: RenewHoldInput!) {{ renewHold(input: $input) {{ {_HOLD} }} }}",
    ),
    "REDUCE": (
        "reduceHold",
        f"mutation ReduceHold($input: ReduceHoldInput!) {{ reduceHold(input: $input) {{ {_HOLD} }} }}",
    ),
    "RELEASE": (
        "releaseHold",
        f"mutation ReleaseHold($input: ReleaseHoldInput!) {{ releaseHold(input: $input) {{ {_HOLD} }} }}",
    ),
    "EXTEND": (
        "extendHold",
        f"mutation ExtendHold($input: ExtendHoldInput!) {{ extendHold(input: $input) {{ {_HOLD} }} }}",
    ),
    "TRANSFER_OUT": (
        "transferOut",
        f"mutation TransferOut($input: TransferOutInput!) {{ transferOut(input: $input) {{ {_MOVED} }} }}",
    ),
    "RECEIVE_CARD": (
        "receiveCard",
        "mutation ReceiveCard($input: ReceiveCardInput!) "
        "{ receiveCard(input: $input) { assetId problems { code path message remedy } } }",
    ),
}
"""What each action asks for; every other action is the kind of a movement."""
_MOVEMENT = (
    "recordMovement",
    f"mutation RecordMovement($input: RecordMovementInput!) {{ recordMovement(input: $input) {{ {_MOVED} }} }}",
)
_STATUS = (
    "query CommandStatus($assetId: ID!, $key: String!) "
    "{ commandStatus(assetId: $assetId, idempotencyKey: $key) { known hold { id state expiresAt } } }"
)
_CARD = (
    "query Card($id: ID!) { asset(id: $id) { lineageId name specification brand model serialNumber quantity "
    "unitOfMeasure acquiredOn originalValue accumulatedDepreciation netValue valueType usefulLifeMonths source "
    "condition massKg class { scheme code name } legacyClass { scheme code name } } }"
)
"""What a successor card takes over from the card whose place it takes."""

_STATES = (
    "query AssetStates($ids: [ID!]!, $first: Int!, $range: DateRangeInput!) "
    "{ assets(filter: { id: { in: $ids } }, first: $first) { nodes { id quantity status owner { uscc } "
    "busy(range: $range) { quantity } } sources { region status } } }"
)

_NEVER_DONE = frozenset(
    {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "FORBIDDEN", "UNAUTHENTICATED"}
)
"""Error codes that say the command was refused before anything was done."""


@dataclass(frozen=True, slots=True)
class Done:
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    problems: tuple[Problem, ...]
    by_book: bool = True
    """False: the command did not get as far as the custody book, which may know of it from an earlier time."""


@dataclass(frozen=True, slots=True)
class Unknown:
    reason: str


CommandResult = Done | Refused | Unknown


@dataclass(frozen=True, slots=True)
class AssetState:
    """What an asset's store and custody book say of it now."""

    quantity: Decimal
    status: str | None
    owner_unit: str | None
    claimed: Decimal
    """The quantity that the custody book has promised or given out, on the day asked for."""


class Custody:
    def __init__(self, endpoint: GroupEndpoint, issuer: TokenIssuer, timeout_s: float = _CALL_TIMEOUT_S) -> None:
        self._endpoint = endpoint
        self._issuer = issuer
        self._timeout_s = timeout_s
        self._facts = FactsReader(self._execute)

    async def facts(self, asset_id: str, window: Window) -> AssetFacts | Unavailable | None:
        """The asset's facts, busy within the window; None when its region knows no such asset. What is asked for at the
        same time of one region is one question."""
        return await self._facts.load(asset_id, window)

    async def states(self, region: str, asset_ids: Sequence[str], day: date) -> dict[str, AssetState] | Unavailable:
        """The states of one region's assets in one question; what its store does not show is absent."""
        range_ = {"from": day.isoformat(), "to": (day + timedelta(days=1)).isoformat()}
        variables = {"ids": list(asset_ids), "first": len(asset_ids), "range": range_}
        try:
            answer = await self._execute(_STATES, variables)
        except Exception as error:  # as with facts: a region that did not answer
            _log.warning("asset_states_failed", region=region, error=repr(error))
            return Unavailable(type(error).__name__)
        page = (answer.get("data") or {}).get("assets")
        if page is None or answer.get("errors"):
            return Unavailable(", ".join(codes_of(answer)) or "no data")
        states = {source["region"]: source["status"] for source in page["sources"]}
        if states.get(region) != "OK":
            return Unavailable(str(states.get(region)))
        return {row["id"]: _state(row) for row in page["nodes"]}

    async def card(self, asset_id: str) -> Mapping[str, Any] | Unavailable | None:
        """What another card is to take over from this one; None when its region knows no such asset."""
        try:
            answer = await self._execute(_CARD, {"id": asset_id})
        except Exception as error:  # as above
            _log.warning("card_failed", asset=asset_id, error=repr(error))
            return Unavailable(type(error).__name__)
        row: Mapping[str, Any] | None = (answer.get("data") or {}).get("asset")
        if row is not None:
            return row
        return Unavailable(", ".join(codes_of(answer))) if answer.get("errors") else None

    async def send(self, action: str, key: str, asset_id: str, input_: Mapping[str, Any]) -> CommandResult:
        """Give one command. `input_` is the mutation's input without key and asset."""
        if action == LOOK:
            return await self._look(asset_id, input_["range"])
        field, document = _DOCUMENTS.get(action, _MOVEMENT)
        variables = {"input": {"idempotencyKey": key, "assetId": asset_id, **input_}}
        try:
            answer = await self._execute(document, variables, key)
        except GroupUnreachable as error:
            return Unknown(f"not sent: {error}")
        except Exception as error:  # the transport cannot say: the book may have done it
            _log.warning("custody_outcome_unknown", action=action, asset=asset_id, key=key, error=repr(error))
            return Unknown(type(error).__name__)
        return _result(answer, field)

    async def _look(self, asset_id: str, days: Mapping[str, str]) -> CommandResult:
        window = date.fromisoformat(days["from"]), date.fromisoformat(days["to"])
        facts = await self.facts(asset_id, window)
        if isinstance(facts, AssetFacts):
            return Done({"free": format_decimal(facts.free(window))})
        return Refused((problem("ASSET_NOT_AVAILABLE", id=asset_id),))

    async def status(self, key: str, asset_id: str) -> Mapping[str, Any] | None:
        """What the book knows of a command, and whether it is `known`; None when it cannot be asked."""
        try:
            answer = await self._execute(_STATUS, {"assetId": asset_id, "key": key})
        except Exception as error:  # asking is only a short cut; sending again settles it
            _log.info("command_status_failed", asset=asset_id, key=key, error=repr(error))
            return None
        status: Mapping[str, Any] | None = (answer.get("data") or {}).get("commandStatus")
        return status

    async def ask(self, document: str, variables: Mapping[str, Any]) -> GroupAnswer:
        """One read of the districts as one, by the overlay's own identity. Raises whatever the transport raises."""
        return await self._execute(document, variables)

    async def _execute(self, document: str, variables: Mapping[str, Any], key: str | None = None) -> GroupAnswer:
        headers = {
            IDENTITY_HEADER: self._issuer.issue(SERVICE_IDENTITY),
            DEADLINE_HEADER: str(int(self._timeout_s * 1000)),
            "accept-language": "zh",
        }
        return await self._endpoint.execute(
            document, variables, headers=headers, timeout_s=self._timeout_s, idempotency_key=key
        )


def _result(answer: GroupAnswer, field: str) -> CommandResult:
    payload = (answer.get("data") or {}).get(field)
    if payload is None:
        codes = codes_of(answer)
        if codes and all(code in _NEVER_DONE for code in codes):
            return Refused((problem("STORE_ERROR", detail=", ".join(codes)),), by_book=False)
        return Unknown(", ".join(codes) or "no data")
    if payload["problems"]:
        return Refused(tuple(_problem(item) for item in payload["problems"]))
    return Done(payload)


def _problem(data: Mapping[str, Any]) -> Problem:
    return Problem(str(data["code"]), tuple(data.get("path") or ()), {}, data.get("message"), data.get("remedy"))


def _state(row: Mapping[str, Any]) -> AssetState:
    return AssetState(
        quantity=quantity_of(row),
        status=row.get("status"),
        owner_unit=(row.get("owner") or {}).get("uscc"),
        claimed=max((parse_decimal(one["quantity"]) for one in row["busy"]), default=Decimal(0)),
    )
